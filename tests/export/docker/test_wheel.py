import subprocess
import sys
import zipfile

import headway
from headway.export.docker.wheel import build_wheel


def test_pip_installs_it_and_the_command_is_there(tmp_path):
    name, content = build_wheel()
    (tmp_path / name).write_bytes(content)
    target = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(target)]
    subprocess.run([*command, str(tmp_path / name)], check=True, capture_output=True)
    assert (target / "bin" / "headway").is_file()
    assert (target / "headway" / "report" / "words.json").is_file()
    assert (target / "headway" / "export" / "browser" / "static" / "index.html").is_file()


def test_it_is_the_same_each_time_and_holds_no_caches(tmp_path):
    name, content = build_wheel()
    assert build_wheel() == (name, content)
    assert name == f"headway-{headway.__version__}-py3-none-any.whl"
    (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / name) as wheel:
        assert wheel.testzip() is None
        assert not [each for each in wheel.namelist() if "__pycache__" in each or each.endswith(".pyc")]
