import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from headway.errors import BaseModelError

pytest.importorskip("torch")
pytest.importorskip("transformers")

import spox
import torch
import transformers

from headway.encoders.checkpoints import read_stack
from headway.encoders.nodes import pooled_nodes
from headway.encoders.opening import open_encoder, stack_of
from headway.encoders.reading import token_feed, tokenizer_files
from headway.package.constants import Constants
from headway.runtime.feeds import encode
from headway.runtime.session import open_session
from tests.bases.folders import change_json
from tests.encoders.tiny import sentences, tiny_base


def read(base, texts):
    feed = token_feed(base, "text")
    arrays = encode(feed, {"text": texts}, files=tokenizer_files(base))
    return arrays[f"{feed.name}.ids"], arrays[f"{feed.name}.mask"]


def run_nodes(stack, ids, mask, **options):
    constants = Constants()
    inputs = {name: spox.argument(spox.Tensor(np.int64, ("rows", "length"))) for name in ("ids", "mask")}
    pooled = pooled_nodes(stack, *inputs.values(), constants, **options)
    session = open_session(constants.build(inputs, {"pooled": pooled}), threads=1)
    return session.run(None, {"ids": ids, "mask": mask})[0]


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta", "distilbert"])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_the_nodes_answer_like_transformers(kind, pooling, tmp_path):
    base = tiny_base(tmp_path, kind, pooling=pooling)
    ids, mask = read(base, sentences(20))
    encoder = open_encoder(base, normalise=True)
    with torch.inference_mode():
        wanted = encoder(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    stack = read_stack(base)
    np.testing.assert_allclose(run_nodes(stack, ids, mask, pooling=pooling, normalise=True), wanted, atol=1e-5)
    trained = stack_of(encoder)
    np.testing.assert_array_equal(trained.layers[0].up.weight, stack.layers[0].up.weight)
    assert wanted.std(0).mean() > 1e-3


def test_padding_does_not_change_an_answer(tmp_path):
    base = tiny_base(tmp_path)
    stack = read_stack(base)
    texts = sentences(8)
    together = run_nodes(stack, *read(base, texts), pooling="mean")
    alone = np.concatenate([run_nodes(stack, *read(base, [text]), pooling="mean") for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_wrapped_checkpoint_is_read_under_its_prefix(tmp_path):
    base = tiny_base(tmp_path)
    wanted = read_stack(base)
    config = transformers.AutoConfig.from_pretrained(tmp_path)
    whole = transformers.BertForMaskedLM(config)
    whole.bert.load_state_dict(transformers.BertModel.from_pretrained(tmp_path).state_dict(), strict=False)
    whole.save_pretrained(tmp_path)
    np.testing.assert_array_equal(read_stack(base).words, wanted.words)


def test_another_architecture_has_no_stack(tmp_path):
    assert read_stack(tiny_base(tmp_path, "mpnet")) is None


def test_a_half_downloaded_base_says_what_is_missing(tmp_path):
    base = tiny_base(tmp_path)
    content = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(BaseModelError, match="cut short"):
        read_stack(base)
    with pytest.raises(BaseModelError, match="cannot be opened"):
        open_encoder(base)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(BaseModelError, match="no weights"):
        read_stack(base)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(BaseModelError, match=r"config\.json"):
        read_stack(base)


def test_a_tensor_that_is_missing_is_named(tmp_path):
    from safetensors.numpy import load_file, save_file

    base = tiny_base(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["encoder.layer.1.output.dense.bias"]
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(BaseModelError, match=r"encoder\.layer\.1\.output\.dense\.bias"):
        read_stack(base)
    with pytest.raises(BaseModelError, match=r"encoder\.layer\.1\.output\.dense\.bias"):
        open_encoder(base)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_attention_heads": None}, "a whole number as num_attention_heads"),
        ({"num_hidden_layers": "two"}, "a whole number as num_hidden_layers"),
        ({"num_attention_heads": 5}, "a num_attention_heads that divides the width 32"),
    ],
)
def test_a_configuration_that_describes_other_weights_is_refused(tmp_path, changes, words):
    base = tiny_base(tmp_path)
    change_json(tmp_path / "config.json", **changes)
    with pytest.raises(BaseModelError, match=words):
        read_stack(base)
    if None not in changes.values():  # Transformers takes its own default for what is not told
        with pytest.raises(BaseModelError, match="cannot be opened"):
            open_encoder(base)


def test_a_pooler_that_is_missing_is_not_spoken_of(tmp_path):
    from safetensors.numpy import load_file, save_file

    tiny_base(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    save_file({name: each for name, each in tensors.items() if "pooler" not in name}, tmp_path / "model.safetensors")
    code = (
        "import sys; from headway.bases.opening import open_base; from headway.encoders.opening import open_encoder; "
        "open_encoder(open_base(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


def test_texts_are_read_with_prefix_and_cut(tmp_path):
    base = dataclasses.replace(tiny_base(tmp_path), prefix="good ", max_length=6)
    ids, mask = read(base, ["bad", "bad " * 50])
    plain, _ = read(dataclasses.replace(base, prefix=""), ["good bad"])
    np.testing.assert_array_equal(ids[0, :4], plain[0])
    assert ids.shape == (2, 6)
    assert mask.sum() == 10


def test_a_base_without_tokenizer_is_refused(tmp_path):
    base = tiny_base(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(BaseModelError, match="tokenizer"):
        token_feed(base, "text")
