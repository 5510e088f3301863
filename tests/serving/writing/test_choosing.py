"""Tests of which engine writes text."""

import pytest

from headway.cli.trouble import word_error
from headway.errors import MissingExtraError, RunError
from headway.serving.limits import Limits
from headway.serving.writing import choosing, deployment
from headway.serving.writing.choosing import choose_engine
from tests.runtime.generation.packages import write_tiny


@pytest.fixture
def without_vllm(monkeypatch):
    monkeypatch.setattr(choosing, "find_spec", lambda _name: None)


@pytest.fixture
def without_gpu(monkeypatch):
    """Let vLLM seem installed on a machine that has no GPU."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(choosing, "find_spec", lambda name: name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)


@pytest.fixture
def with_gpu(monkeypatch):
    monkeypatch.setattr(choosing, "find_obstacle", lambda: None)


def test_without_vllm_onnxruntime_writes(without_vllm):
    assert choose_engine("auto") == "onnx"
    with pytest.raises(MissingExtraError) as caught:
        choose_engine("vllm")
    assert 'pip install "headway[vllm]"' in word_error(caught.value, "en")
    assert "用 vLLM 写文本需要尚未安装的附加依赖" in word_error(caught.value, "zh")


def test_without_a_gpu_onnxruntime_writes(without_gpu):
    assert choose_engine("auto") == "onnx"
    with pytest.raises(RunError) as caught:
        choose_engine("vllm")
    english, chinese = (word_error(caught.value, lang) for lang in ("en", "zh"))
    assert "vLLM writes on a GPU only" in english
    assert "built for the CPU" in english
    assert "--engine onnx" in english
    assert "vLLM 只能在 GPU 上写文本" in chinese
    assert "onnxruntime 在 CPU 上写" in chinese


def test_with_both_vllm_writes_unless_onnxruntime_is_asked_for(with_gpu):
    assert choose_engine("auto") == "vllm"
    assert choose_engine("vllm") == "vllm"
    assert choose_engine("onnx") == "onnx"


def test_where_vllm_does_not_open_a_package_auto_goes_on_and_says_why(with_gpu, tmp_path, monkeypatch):
    from headway.serving.writing.vllm import opening

    def fail(*_given):
        raise RunError("vLLM cannot open this package", got="no memory")

    monkeypatch.setattr(opening, "open_vllm", fail)
    heard = []
    options = {"name": None, "limits": Limits(), "threads": 1, "note": lambda *words: heard.append(words)}
    opened = deployment.open_writer(write_tiny(tmp_path / "package"), engine="auto", **options)
    opened.author.retire()
    assert opened.engine.name == "onnx"
    assert heard[0][0] == "tiny"
    assert "no memory" in heard[0][1]
    with pytest.raises(RunError, match="cannot open"):
        deployment.open_writer(tmp_path / "package", engine="vllm", **options)
