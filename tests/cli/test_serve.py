import pytest

from headway.cli.serve import _hosts, _package
from headway.serving.writing.choosing import find_obstacle


def test_a_local_service_answers_to_local_names_only():
    assert "localhost" in _hosts("127.0.0.1", ())
    assert _hosts("0.0.0.0", ()) is None
    assert "api.example" in _hosts("0.0.0.0", ["api.example"])


def test_a_package_may_be_given_a_name(run_folder, tmp_path):
    named = _package(f"mine={run_folder}")
    assert (named.name, named.path) == ("mine", str(run_folder / "package"))
    assert _package(str(run_folder)).name is None


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_keys_are_made_shown_and_revoked(headway, tmp_path, lang):
    made = headway("keys", "add", "shop", "--rate", "5/m", cwd=tmp_path, lang=lang)
    assert made.stdout.startswith("hw_")
    assert "keys.json" in made.stderr
    identity = made.stdout.split("_")[1]
    assert identity in headway("keys", "list", cwd=tmp_path, lang=lang).stdout
    revoked = headway("keys", "revoke", "shop", cwd=tmp_path, lang=lang)
    assert identity in revoked.stdout
    assert ("已吊销" if lang == "zh" else "is revoked") in revoked.stdout
    again = headway("keys", "revoke", "shop", cwd=tmp_path)
    assert (again.returncode, "which key?" in again.stderr) == (1, True)
    wrong = headway("keys", "add", "x", "--right", "rule", cwd=tmp_path)
    assert "predict or deploy" in wrong.stderr


def test_a_webhook_that_is_none_is_refused_before_anything_starts(headway, run_folder):
    done = headway("serve", run_folder, "--webhook", "ftp://x", "--port", "0")
    assert done.returncode == 1
    assert done.stderr.startswith("headway: --webhook: this is not where alarms can be sent")
    assert "could not start" not in done.stderr


def test_a_store_in_a_folder_that_is_not_there_is_refused_before_anything_starts(headway, run_folder, tmp_path):
    url = f"sqlite:///{tmp_path}/gone/kept.db"
    done = headway("serve", run_folder, "--port", "0", "--store", url, lang="zh")
    assert done.returncode == 1
    assert "存储所在的目录不存在" in done.stderr
    assert f"已存在的目录：{tmp_path}/gone" in done.stderr


def test_deploying_to_nobody_says_what_to_do(headway, run_folder):
    done = headway("deploy", run_folder, "--url", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "is it running" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_store_cannot_be_is_told_before_the_start(headway, run_folder, tmp_path):
    done = headway("serve", run_folder, "--store", "mysql://x/y")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    done = headway("serve", run_folder, "--store", f"sqlite:///{tmp_path}/a.db", "--keep", "most")
    assert "off, all, or a share" in done.stderr
    done = headway("serve", run_folder, "--drift", "--false-alarms", "150%")
    assert "between 0 and 1" in done.stderr
    done = headway("serve", run_folder, "--drift", "--drift-window", "10")
    assert (done.returncode, "50" in done.stderr) == (2, True)


@pytest.mark.skipif(find_obstacle() is None, reason="vLLM can be used here")
@pytest.mark.parametrize(("lang", "words"), [("en", "vLLM"), ("zh", "下一步")])
def test_vllm_that_cannot_write_here_is_told_before_the_start(headway, run_folder, lang, words):
    done = headway("serve", run_folder, "--engine", "vllm", lang=lang)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert words in done.stderr
    assert "headway[vllm]" in done.stderr or "--engine onnx" in done.stderr
