import typer.main

from headway.cli.app import make_app
from headway.cli.help import _CHINESE

COMMANDS = ("init", "check", "run", "predict", "evaluate", "compare", "report", "show", "schema", "demo", "package")


def texts(command):
    found = [command.help, *(getattr(parameter, "help", None) for parameter in command.params)]
    return [*found, *(text for below in getattr(command, "commands", {}).values() for text in texts(below))]


def test_every_help_text_of_these_commands_is_known_in_chinese():
    group = typer.main.get_command(make_app())
    found = [text for name in COMMANDS for text in texts(group.commands[name]) if text]
    assert len(found) > 40
    assert [text for text in found if text not in _CHINESE] == []


def test_the_help_speaks_chinese_where_it_is_asked_to(headway):
    for done in (headway("run", "--help", "--lang", "zh"), headway("--lang", "zh", "run", "--help", lang="en")):
        assert done.returncode == 0
        assert "项目文件，或它所在的文件夹。" in done.stdout
        assert "显示本说明后退出。" in done.stdout
    assert "The project file" in headway("run", "--help").stdout
    assert "打包好的模型" in headway("--help", lang="zh").stdout
