import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import gguf
import torch
import transformers

from headway.bases.memory import memory_needed
from headway.bases.opening import open_base
from headway.bases.unpacking import gguf as module
from headway.bases.unpacking.gguf import _LAYER, _TOP
from headway.errors import BaseModelError

SIZES = {
    "vocab_size": 260, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "head_dim": 8,
}  # fmt: skip
CLASSES = {
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
    "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM),
}


def make_model(kind, *, tied):
    config, model = CLASSES[kind]
    torch.manual_seed(0)
    return model(config(**SIZES, tie_word_embeddings=tied, pad_token_id=None)).eval()


def interleave(values, heads):
    """Rows of a projection as llama.cpp's converter orders them."""
    half = values.shape[0] // heads // 2
    return values.reshape(heads, 2, half, -1).swapaxes(1, 2).reshape(values.shape)


def write_gguf(path, model, kind, *, tied, quantised=None, name=None):
    writer = gguf.GGUFWriter(path, name or kind)
    writer.add_block_count(2)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_key_length(8)
    writer.add_layer_norm_rms_eps(1e-5)
    letters = byte_letters()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([*letters, "<|end|>", "ab", "abc", "<|x|>"])
    writer.add_token_types([1] * 256 + [3, 1, 1, 3])
    writer.add_token_merges(["a b", "ab c"])
    writer.add_eos_token_id(256)
    writer.add_bos_token_id(256)
    for theirs, values in named(model, kind, tied=tied):
        is_matrix = quantised is not None and values.ndim == 2
        kept = gguf.quants.quantize(values, quantised) if is_matrix else values
        writer.add_tensor(theirs, kept, raw_dtype=quantised if is_matrix else None)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def named(model, kind, *, tied):
    top, layer = {v: k for k, v in _TOP.items()}, {v: k for k, v in _LAYER.items()}
    for ours, tensor in model.state_dict().items():
        stem, _, suffix = ours.rpartition(".")
        values = tensor.numpy()
        if stem in top:
            if not (tied and stem == "lm_head"):
                yield f"{top[stem]}.{suffix}", values
            continue
        _, _, number, rest = stem.split(".", 3)
        role = layer[rest]
        if kind == "llama" and role in ("attn_q", "attn_k"):
            values = interleave(values, 4 if role == "attn_q" else 2)
        yield f"blk.{number}.{role}.{suffix}", values


def byte_letters():
    """The 256 letters that stand for bytes in GPT-2's vocabulary."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(byte) for byte in kept] + [chr(256 + n) for n in range(256 - len(kept))]


@pytest.mark.parametrize(("kind", "tied"), [("llama", True), ("llama", False), ("qwen2", True), ("qwen3", True)])
def test_the_decoder_says_what_it_said(tmp_path, kind, tied):
    model = make_model(kind, tied=tied)
    write_gguf(tmp_path / "tiny.gguf", model, kind, tied=tied)
    base = open_base("tiny.gguf", folder=tmp_path)
    assert (base.kind, base.architecture, base.max_length) == ("decoder", kind, 64)
    again = transformers.AutoModelForCausalLM.from_pretrained(base.folder, dtype="float32").eval()
    tokens = torch.tensor([[3, 77, 12, 200, 5]])
    with torch.no_grad():
        torch.testing.assert_close(again(tokens).logits, model(tokens).logits, atol=1e-5, rtol=1e-4)
    tokenizer = transformers.AutoTokenizer.from_pretrained(base.folder)
    assert tokenizer.decode(tokenizer("abc ab")["input_ids"]) == "abc ab"
    assert len(tokenizer("abc")["input_ids"]) == 1


def test_blocks_are_dequantised(tmp_path):
    model = make_model("llama", tied=True)
    write_gguf(tmp_path / "tiny.gguf", model, "llama", tied=True, quantised=gguf.GGMLQuantizationType.Q8_0)
    base = open_base("tiny.gguf", folder=tmp_path)
    from tests.bases.folders import weights_of

    found = weights_of(base.folder)["model.layers.1.self_attn.q_proj.weight"]
    wanted = model.state_dict()["model.layers.1.self_attn.q_proj.weight"].numpy()
    assert np.abs(found - wanted).max() < np.abs(wanted).max() / 100


def test_a_file_that_is_too_large_unpacked_is_refused_before_that(tmp_path, monkeypatch):
    model = make_model("llama", tied=True)
    write_gguf(tmp_path / "tiny.gguf", model, "llama", tied=True, quantised=gguf.GGMLQuantizationType.Q8_0)
    unpacked = sum(parameter.numel() for parameter in model.parameters()) * 4 / 1024**2
    with monkeypatch.context() as patched:
        patched.setattr(module, "_dequantise", lambda *_: pytest.fail("unpacked"))
        with pytest.raises(BaseModelError, match=r"tiny\.gguf is too large for the memory budget"):
            open_base("tiny.gguf", folder=tmp_path, memory_mb=memory_needed(unpacked) - 0.01)
    assert open_base("tiny.gguf", folder=tmp_path, memory_mb=memory_needed(unpacked) + 0.01).kind == "decoder"
    with pytest.raises(BaseModelError, match="too large"):  # what lies unpacked in the cache by now is no smaller
        open_base("tiny.gguf", folder=tmp_path, memory_mb=memory_needed(unpacked) - 0.01)


def test_a_broken_file_and_an_unknown_architecture_are_refused(tmp_path):
    write_gguf(tmp_path / "tiny.gguf", make_model("llama", tied=True), "llama", tied=True)
    whole = (tmp_path / "tiny.gguf").read_bytes()
    for cut in (3, 400, len(whole) - 64):
        (tmp_path / "cut.gguf").write_bytes(whole[:cut])
        with pytest.raises(BaseModelError, match="the GGUF file cannot be read"):
            open_base("cut.gguf", folder=tmp_path)
    write_gguf(tmp_path / "odd.gguf", make_model("llama", tied=True), "llama", tied=True, name="mamba")
    with pytest.raises(BaseModelError, match='"mamba" of this GGUF file is unknown'):
        open_base("odd.gguf", folder=tmp_path)
    with pytest.raises(BaseModelError, match="there is no base model"):
        open_base("none.gguf", folder=tmp_path)
