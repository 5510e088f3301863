"""Tests of vLLM itself, where it and a GPU are; what it says is read everywhere."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from headway.decoders.exporting import export_decoder
from headway.package.writing import write_generator
from headway.runtime.archive import read_package
from headway.runtime.generation import load_generator
from headway.runtime.generation.wishes import Wish
from headway.runtime.manifest import Manifest
from headway.serving.writing.choosing import find_obstacle
from headway.serving.writing.grammar import JsonGrammar
from headway.serving.writing.vllm.backend import _heard
from headway.serving.writing.vllm.engine import Heard
from tests.decoders.tiny import weights_of
from tests.runtime.generation.packages import CONFIG, facts_of, tokenizer_of
from tests.serving.writing.vllm.test_engine import SCHEMA, write

# Heads as wide as the attention of GPUs knows them.
LLAMA = replace(CONFIG, width=256)
GPT2 = replace(LLAMA, key_value_heads=4, norm="layer", positions="learned", feed="gelu_tanh", biases="all")


def output_of(**change):
    """Return what `LLMEngine.step` gives for one answer: a `RequestOutput` with one `CompletionOutput`."""
    new = {"token_ids": (5, 6), "logprobs": None, "finish_reason": None, **change}
    is_over = new["finish_reason"] is not None
    return SimpleNamespace(request_id="7", outputs=[SimpleNamespace(**new)], finished=is_over)


def test_what_vllm_says_is_read():
    assert _heard(output_of()) == Heard("7", [5, 6], [])
    told = [{5: SimpleNamespace(logprob=-0.5), 9: SimpleNamespace(logprob=-1.5)}, {6: SimpleNamespace(logprob=-0.1)}]
    assert _heard(output_of(logprobs=told)).logprobs == [{5: -0.5, 9: -1.5}, {6: -0.1}]
    assert _heard(output_of(finish_reason="stop")) == Heard("7", [5, 6], [], is_over=True)
    assert _heard(output_of(finish_reason="length", token_ids=())) == Heard("7", [], [], is_over=True)
    assert _heard(output_of(finish_reason="abort")).failure == "abort"


needs_gpu = pytest.mark.skipif(find_obstacle() is not None, reason=f"vLLM cannot write here: {find_obstacle()}")


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def opened(request, tmp_path_factory):
    """Return one package opened with vLLM and with onnxruntime."""
    from headway.serving.writing.vllm.opening import open_vllm

    config = {"llama": LLAMA, "gpt2": GPT2}[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADWAY_CACHE", str(folder / "cache"))
        manifest = Manifest("tiny", "generate", "", (), (), generation=facts_of())
        onnx = export_decoder(config, weights_of(config))
        package = write_generator(folder / "package", onnx, tokenizer_of().to_str().encode(), manifest, card="")
        engine = open_vllm(*read_package(package))
    yield engine, load_generator(package, threads=1)
    engine.close()


@needs_gpu
def test_vllm_writes_what_the_package_holds_likely(opened):
    engine, generator = opened
    prompt = generator.ids_of("The sea")
    (pieces,) = write(engine, [prompt], [Wish(max_tokens=16, temperature=0, chances=3)])
    ids = [chance.id for piece in pieces for chance in piece.chances]
    expected = generator.logprobs([*prompt, *ids])[len(prompt) - 1 :]
    told = [chance.logprob for piece in pieces for chance in piece.chances]
    np.testing.assert_allclose(told, expected, atol=0.1)  # 16 bits against 32
    assert all(len(chance.others) == 3 for piece in pieces for chance in piece.chances)


@needs_gpu
def test_vllm_honours_seeds_stops_ends_and_forms(opened):
    engine, generator = opened
    prompt, wish = generator.ids_of("ab"), Wish(max_tokens=30, seed=5)
    first, second = (text_of(write(engine, [prompt], [wish])[0]) for _ in range(2))
    assert first == second
    stop = first[3:5]
    (pieces,) = write(engine, [prompt], [replace(wish, stop=(stop,))])
    assert text_of(pieces) == first[: first.index(stop)]
    grammar = JsonGrammar(generator.prompts.tokenizer.to_str(), CONFIG.vocabulary, (256,), SCHEMA)
    (pieces,) = write(engine, [prompt], [Wish(max_tokens=80, seed=1, grammar=grammar)])
    assert pieces[-1].finish == "stop"
    assert text_of(pieces).startswith('{"mood": "')
    answers = [engine.begin(prompt, Wish(max_tokens=90)) for _ in range(3)]
    for answer in answers:
        engine.add(answer)
    engine.step()
    for answer in answers:
        engine.drop(answer)
    assert engine.is_idle
    assert write(engine, [prompt], [Wish(max_tokens=2)])[0][-1].tokens == 2


def text_of(pieces):
    return "".join(piece.text for piece in pieces)
