import ast
import json
import os
import subprocess
import sys

import pytest


def test_help_names_every_command(headway):
    done = headway("--help")
    assert done.returncode == 0
    commands = "init check run predict evaluate compare report show serve deploy demo schema package keys"
    assert [name for name in commands.split() if done.stdout.count(f"\n  {name} ") != 1] == []


def test_help_says_whole_sentences(headway):
    assert "..." not in headway("--help").stdout.partition("Commands:")[2]
    assert "..." not in headway("store", "--help").stdout.partition("Commands:")[2]


STARTED = (
    "import sys; sys.argv = ['headway', {arguments}]\n"
    "from headway.cli import main\n"
    "try: main()\nexcept SystemExit: pass\n"
)


def imported(code, names):
    """Return which modules are loaded after some code, in a process of its own, and what it printed."""
    told = f"\nprint([name for name in {names.split()!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + told], capture_output=True, text=True, check=True)
    return ast.literal_eval(done.stderr), done.stdout


def test_the_start_imports_nothing_heavy():
    heavy = "rich torch transformers sklearn polars numpy scipy lightgbm onnxruntime onnx pydantic ruamel.yaml PIL"
    assert imported(STARTED.format(arguments="'--help'"), heavy)[0] == []


def test_a_command_imports_only_itself():
    found, printed = imported(STARTED.format(arguments="'serve', '--help'"), "headway.cli.serve headway.cli.run")
    assert found == ["headway.cli.serve"]
    assert "Usage: headway serve" in printed


def test_what_keeps_the_workers_of_a_service_imports_nothing_heavy():
    code = (
        "import sys; from headway.cli.serve import _check; from headway.serving.settings import Package, Settings\n"
        "import headway.serving.supervisor\n"
        "_check(Settings((Package(None, 'nowhere'),)))"
    )
    assert imported(code, "numpy onnxruntime tokenizers PIL uvicorn torch")[0] == []


ONE_COMMAND = "import typer\napp = typer.Typer()\n@app.command()\ndef one(): pass\napp(['--help'])"


@pytest.mark.slow
def test_help_starts_about_as_fast_as_that_of_a_program_with_one_command(headway):
    """Processor time, taken alternately: a busy machine makes both slower."""
    ours, least = [], []
    for _ in range(5):
        ours.append(processor_seconds(lambda: headway("--help")))
        least.append(
            processor_seconds(
                lambda: subprocess.run([sys.executable, "-c", ONE_COMMAND], capture_output=True, check=True)
            )
        )
    assert min(ours) <= 1.2 * min(least)


def processor_seconds(call):
    before = os.times()
    call()
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def test_version(headway):
    from headway import __version__

    assert headway("--version").stdout.strip() == f"headway {__version__}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rnu"], "run"),
        (["run", "--quite"], "--quiet"),
        (["predict"], "PACKAGE_OR_RUN"),
        (["demo", "reviewz"], "reviews"),
    ],
)
def test_wrong_usage_is_told_with_the_next_step(headway, arguments, words):
    done = headway(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "--help" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_is_told_plainly_and_debug_shows_the_traceback(headway, tmp_path):
    (tmp_path / "headway.yaml").write_text("data: a.csv\ntarget: y\nbudgt: 3\n", encoding="utf-8")
    done = headway("run", str(tmp_path / "headway.yaml"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert 'headway.yaml:3: unknown key "budgt"' in done.stderr
    assert 'did you mean "budget"?' in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in headway("run", str(tmp_path / "headway.yaml"), "--debug").stderr


def test_schema_is_json(headway):
    assert json.loads(headway("schema").stdout)["required"] == ["data"]  # and target, targets or task: generate


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m headway.cli schema | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_answers_to_a_reader_that_goes_away_are_no_error():
    # What Polars raises when it writes into a closed pipe.
    code = 'from headway.cli.app import _tell; raise SystemExit(_tell(OSError("Broken pipe (os error 32)"), "en"))'
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
