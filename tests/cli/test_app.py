import json
import subprocess
import sys
import time

import pytest


def headway(*arguments, cwd=None, env=None):
    command = [sys.executable, "-m", "headway.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, env=env, check=False)


def test_help_names_every_command():
    done = headway("--help")
    assert done.returncode == 0
    commands = ("init", "predict", "evaluate", "compare", "show", "schema", "package")
    assert [name for name in commands if f" {name} " not in done.stdout] == []


def test_the_start_imports_nothing_heavy():
    heavy = "torch transformers sklearn polars numpy scipy lightgbm onnxruntime onnx pydantic ruamel.yaml PIL"
    code = (
        "import sys; sys.argv = ['headway', '--help']\n"
        "from headway.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"print([name for name in '{heavy}'.split() if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"


@pytest.mark.slow
def test_help_starts_at_once():
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        headway("--help")
        seconds.append(time.perf_counter() - began)
    assert min(seconds) <= 0.3


def test_version():
    from headway import __version__

    assert headway("--version").stdout.strip() == f"headway {__version__}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["shwo"], "show"),
        (["show", "--jsn"], "--json"),
        (["predict"], "PACKAGE_OR_RUN"),
    ],
)
def test_wrong_usage_is_told_with_the_next_step(arguments, words):
    done = headway(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "--help" in done.stderr
    assert "Traceback" not in done.stderr


def test_schema_is_json():
    assert json.loads(headway("schema").stdout)["required"] == ["data", "target"]


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m headway.cli schema | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
