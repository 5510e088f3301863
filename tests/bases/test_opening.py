import pickle
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

from headway.bases import opening
from headway.bases.memory import memory_needed
from headway.bases.opening import open_base
from headway.errors import BaseModelError
from tests.bases.folders import change_json, sentence_folder, shard, text_folder, weights_of, write

CARD = "---\nlanguage:\n- en\n- zh\nlicense: apache-2.0\n---\n# A model\n"


def fails(name, folder, *words):
    with pytest.raises(BaseModelError) as caught:
        open_base(name, folder=folder, fetch=False)
    for word in words:
        assert word in str(caught.value)


def test_a_folder_of_transformers_is_described(tmp_path):
    text_folder(tmp_path / "tiny")
    base = open_base("tiny", folder=tmp_path)
    assert (base.kind, base.architecture, base.pooling, base.prefix) == ("text_encoder", "bert", "mean", "")
    assert base.parameters == sum(tensor.size for tensor in weights_of(base.folder).values())
    assert base.embedding_parameters == weights_of(base.folder)["embeddings.word_embeddings.weight"].size
    assert base.size_mb == pytest.approx(base.parameters * 4 / 1024**2)
    assert base.max_length == 80
    assert base.licence == "unknown"
    assert base.languages == ("en",)
    assert not base.is_sentence


def test_the_files_of_sentence_transformers_are_read(tmp_path):
    sentence_folder(tmp_path / "s", prompts={"query": "query: ", "classification": "sort: "}, card=CARD)
    base = open_base(str(tmp_path / "s"))
    assert (base.pooling, base.prefix, base.max_length, base.is_sentence) == ("cls", "sort: ", 32, True)
    assert base.languages == ("en", "zh")
    assert base.licence == "apache-2.0"


@pytest.mark.parametrize(
    ("settings", "pooling"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False}, "mean"),
        ({"pooling_mode": "mean"}, "mean"),
        ({"pooling_mode": ["cls"]}, "cls"),
        ({"word_embedding_dimension": 32}, "mean"),
    ],
)
def test_the_pooling_of_sentence_transformers_is_read(tmp_path, settings, pooling):
    write(sentence_folder(tmp_path / "s") / "1_Pooling" / "config.json", settings)
    assert open_base(str(tmp_path / "s")).pooling == pooling


@pytest.mark.parametrize(
    "settings",
    [
        {"pooling_mode_max_tokens": True},
        {"pooling_mode_weightedmean_tokens": True},
        {"pooling_mode": "lasttoken"},
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
    ],
)
def test_other_poolings_are_refused(tmp_path, settings):
    write(sentence_folder(tmp_path / "s") / "1_Pooling" / "config.json", settings)
    with pytest.raises(BaseModelError, match="pooled in a way that is not known here"):
        open_base(str(tmp_path / "s"))


def test_the_positions_bound_the_window(tmp_path):
    sentence_folder(tmp_path / "s", window=5000)
    assert open_base(str(tmp_path / "s")).max_length == 80
    text_folder(tmp_path / "roberta", "roberta")
    assert open_base(str(tmp_path / "roberta")).max_length == 79  # one is for the padding token, id 0


def test_e5_is_known_by_its_name(tmp_path):
    text_folder(tmp_path / "multilingual-e5-base")
    assert open_base(str(tmp_path / "multilingual-e5-base")).prefix == "query: "
    text_folder(tmp_path / "e5-large-instruct")
    assert open_base(str(tmp_path / "e5-large-instruct")).prefix == ""


def test_the_digest_names_the_content_and_how_it_is_read(tmp_path):
    text_folder(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    first = open_base(str(tmp_path / "a"))
    assert open_base(str(tmp_path / "b")).digest == first.digest
    change_json(tmp_path / "b" / "sentence_bert_config.json", max_seq_length=16)
    assert open_base(str(tmp_path / "b")).digest != first.digest


def test_a_missing_base_is_named_with_the_nearest_one(tmp_path):
    text_folder(tmp_path / "minilm")
    fails("./minlm", tmp_path, 'there is no base model "./minlm"', "nothing at")
    fails("all-minilm-l6", tmp_path, 'did you mean "all-MiniLM-L6-v2"?')
    fails("xyzzy", tmp_path, "headway bases lists")
    for name, owner in (("bert-base-chinese", "google-bert"), ("XLM-RoBERTa-base", "FacebookAI"), ("bge-m3", "BAAI")):
        fails(name, tmp_path, f'did you mean "{owner}/{name}"?')
    fails("all-mpnet-base-v2", tmp_path, 'did you mean "sentence-transformers/all-mpnet-base-v2"?')
    fails("someone/nothing", tmp_path, "not in the hub's cache")


def test_a_known_base_is_not_fetched_unless_allowed(tmp_path):
    fails("multilingual-E5-small", tmp_path, "is not on this machine", "headway bases get multilingual-e5-small")


def test_an_empty_folder_and_an_adapter_are_no_bases(tmp_path):
    (tmp_path / "empty").mkdir()
    fails("empty", tmp_path, "this is no base model", "an empty folder")
    change_json(tmp_path / "empty" / "adapter_config.json", peft_type="LORA")
    fails("empty", tmp_path, "this is an adapter")


def test_truncated_weights_are_found(tmp_path):
    weights = text_folder(tmp_path / "tiny") / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-100])
    fails("tiny", tmp_path, "the weights are cut short", f"{len(whole):,} bytes", f"{len(whole) - 100:,} bytes")
    weights.write_bytes(whole[:40])
    fails("tiny", tmp_path, "the weights cannot be read", "40 bytes")
    weights.write_bytes(b"")
    fails("tiny", tmp_path, "the weights cannot be read", "0 bytes")
    weights.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n")
    fails("tiny", tmp_path, "a pointer of Git LFS", "git lfs pull")
    weights.unlink()
    fails("tiny", tmp_path, "there are no weights", "model.safetensors")


def test_a_hole_in_weights_of_the_right_size_is_found(tmp_path):
    folder = text_folder(tmp_path / "tiny")
    tensors = weights_of(folder)
    large = {"layer.weight": np.ones((128, 128), np.float32), "pooler.weight": np.zeros((128, 128), np.float32)}
    save_file({**tensors, **large, "layer.bias": np.zeros(20_000, np.float32)}, folder / "model.safetensors")
    assert open_base("tiny", folder=tmp_path).parameters
    save_file({**tensors, **large, "layer.weight": large["pooler.weight"]}, folder / "model.safetensors")
    fails("tiny", tmp_path, "the weights are only half there", "1 hold zeros alone: layer.weight")


@pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16"])
def test_weights_that_are_no_numbers_are_refused(tmp_path, kind):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file
    from safetensors.torch import save_file as save

    folder = text_folder(tmp_path / "tiny")
    tensors = {name: part.to(getattr(torch, kind)) for name, part in load_file(folder / "model.safetensors").items()}
    largest = torch.full((3,), torch.inf, dtype=getattr(torch, kind))  # a mask may hold it
    save({**tensors, "mask": -largest}, folder / "model.safetensors")
    assert open_base("tiny", folder=tmp_path).parameters
    tensors["encoder.layer.0.output.dense.weight"][3, 1] = torch.nan
    save(tensors, folder / "model.safetensors")
    fails("tiny", tmp_path, "what is no number", "NaN in encoder.layer.0.output.dense.weight")


def test_a_tokenizer_with_tokens_beyond_the_table_is_refused(tmp_path):
    from tokenizers import Tokenizer

    folder = text_folder(tmp_path / "tiny")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.add_tokens(["[FAR]"])
    tokenizer.save(str(folder / "tokenizer.json"))
    rows = len(weights_of(folder)["embeddings.word_embeddings.weight"])
    assert tokenizer.get_vocab_size() == rows + 1
    fails(
        "tiny", tmp_path, "tokens that the model has no vectors for", f"ids below {rows}", f"1 others: [FAR] ({rows})"
    )


def test_parts_of_the_weights_are_counted_and_missed(tmp_path):
    one = open_base(str(text_folder(tmp_path / "tiny")))
    parts = shard(tmp_path / "tiny")
    assert open_base(str(tmp_path / "tiny")).parameters == one.parameters
    parts[1].unlink()
    fails("tiny", tmp_path, "the weights are only half there", parts[1].name)


def test_an_unknown_architecture_and_foreign_code_are_refused(tmp_path):
    config = text_folder(tmp_path / "tiny") / "config.json"
    change_json(config, model_type="berd")
    fails("tiny", tmp_path, 'the architecture "berd" is unknown here', 'did you mean "bert"?')
    change_json(config, model_type="bert", auto_map={"AutoModel": "modeling.Evil"})
    fails("tiny", tmp_path, "code of its own")
    change_json(config, auto_map=None, quantization_config={"quant_method": "gptq"})
    fails("tiny", tmp_path, "packed in few bits", "gptq")
    config.write_text("{")
    fails("tiny", tmp_path, "the file cannot be read", "config.json")


def test_a_missing_or_broken_tokenizer_is_named(tmp_path):
    tokenizer = text_folder(tmp_path / "tiny") / "tokenizer.json"
    tokenizer.write_text("{}")
    fails("tiny", tmp_path, "the tokenizer cannot be read")
    tokenizer.unlink()
    fails("tiny", tmp_path, "the tokenizer is missing")


def test_padding_is_the_token_then_the_configuration_then_the_end(tmp_path):
    folder = text_folder(tmp_path / "tiny")
    change_json(folder / "tokenizer_config.json", pad_token={"content": "[UNK]"}, eos_token="[SEP]")
    assert open_base(str(folder)).pad_id == 1
    change_json(folder / "tokenizer_config.json", pad_token=None)
    assert open_base(str(folder)).pad_id == 0
    change_json(folder / "config.json", pad_token_id=None)
    base = open_base(str(folder))
    assert base.pad_id == 3
    assert base.notes == ("the tokenizer has no padding token: its end token [SEP] fills the batches",)
    change_json(folder / "tokenizer_config.json", eos_token=None)
    assert "token 0" in open_base(str(folder)).notes[0]


def test_a_slow_tokenizer_becomes_a_fast_one(tmp_path):
    from tokenizers import Tokenizer

    folder = text_folder(tmp_path / "tiny")
    fast = Tokenizer.from_file(str(folder / "tokenizer.json"))
    words = sorted(fast.get_vocab(), key=fast.get_vocab().get)
    words[4] = "[MASK]"
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    (folder / "tokenizer.json").unlink()
    change_json(folder / "tokenizer_config.json", tokenizer_class="BertTokenizer", do_lower_case=True)
    base = open_base(str(folder))
    assert "one was made from its vocabulary" in base.notes[0]
    assert base.folder != folder
    made = Tokenizer.from_file(str(base.folder / "tokenizer.json"))
    assert made.encode("lovely clean room").ids == fast.encode("lovely clean room").ids
    assert open_base(str(folder)).digest == base.digest


def test_pickled_weights_are_converted(tmp_path):
    import torch

    folder = text_folder(tmp_path / "tiny")
    tensors = weights_of(folder)
    torch.save({name: torch.from_numpy(array) for name, array in tensors.items()}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    base = open_base(str(folder))
    assert "its weights were pickled" in base.notes[0]
    assert not list(base.folder.glob("*.bin"))
    np.testing.assert_equal(weights_of(base.folder), tensors)


def test_what_is_too_large_is_refused_before_it_is_converted_or_read(tmp_path, monkeypatch):
    folder = text_folder(tmp_path / "tiny")
    monkeypatch.setattr(opening, "_digest", lambda _: pytest.fail("read"))
    with pytest.raises(BaseModelError, match="the base tiny is too large for the memory budget"):
        open_base("tiny", folder=tmp_path, memory_mb=600)
    torch = pytest.importorskip("torch")
    tensors = {name: torch.from_numpy(array).half() for name, array in weights_of(folder).items()}
    torch.save(tensors, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    monkeypatch.setattr(opening, "complete_folder", lambda *_, **__: pytest.fail("converted"))
    megabytes = (folder / "pytorch_model.bin").stat().st_size / 1024**2
    for kind, times in (("float32", 1), ("float16", 2)):  # half precision is read as float32
        change_json(folder / "config.json", dtype=kind)
        with pytest.raises(BaseModelError, match="too large"):
            open_base("tiny", folder=tmp_path, memory_mb=memory_needed(times * megabytes) - 0.01)


def test_a_known_base_that_is_too_large_is_not_fetched(monkeypatch):
    monkeypatch.setattr(opening, "keep", lambda *_, **__: pytest.fail("fetched"))
    with pytest.raises(BaseModelError, match="the base multilingual-e5-small is too large"):
        open_base("multilingual-e5-small", memory_mb=700)


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    import torch

    folder = text_folder(tmp_path / "tiny")
    (folder / "model.safetensors").unlink()
    torch.save({"a": Evil(tmp_path / "ran")}, folder / "pytorch_model.bin")
    fails("tiny", tmp_path, "hold more than numbers and are refused", "it would run ", "take a model with safetensors")
    with pytest.raises(BaseModelError) as caught:
        open_base("tiny", folder=tmp_path)
    assert "weights_only" not in str(caught.value)  # no reader is told how to run it all the same
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"a": Evil(tmp_path / "ran")}, protocol=4))
    fails("tiny", tmp_path, "hold more than numbers and are refused")
    (folder / "pytorch_model.bin").write_bytes(b"PK\x03\x04 cut short")
    fails("tiny", tmp_path, "the pickled weights cannot be read")
    assert not (tmp_path / "ran").exists()


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return self.path.touch, ()


def test_a_file_that_is_no_gguf_is_refused(tmp_path):
    text_folder(tmp_path / "tiny")
    fails("tiny/model.safetensors", tmp_path, "a base model is a folder or a GGUF file", "name its folder")


def test_models_of_the_hubs_cache_are_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    place = tmp_path / "models--someone--tiny-bert"
    text_folder(place / "snapshots" / "abc")
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("abc")
    base = open_base("someone/tiny-bert", fetch=False)
    assert base.source == "the Hugging Face hub"
    fails("someone/tiny-berd", tmp_path, 'did you mean "someone/tiny-bert"?')
