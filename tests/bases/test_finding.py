import pytest

from headway.bases.choosing import Demands
from headway.bases.finding import check_name, find_bases, reopen
from headway.errors import BaseModelError
from headway.report.translation import translate
from tests.bases.folders import sentence_folder, text_folder

TEXTS = ("the room was lovely", "never again")
CARD = "---\nlanguage: en\nlicense: mit\n---\n"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Return a function that puts a model into the hub's cache."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))

    def put(name, **options):
        folder = tmp_path / "hub" / f"models--{name.replace('/', '--')}" / "snapshots" / "abc"
        folder.parent.mkdir(parents=True)
        return sentence_folder(folder, **options)

    return put


def find(wanted, tmp_path, kinds=("text_encoder",), texts=TEXTS, **demands):
    return find_bases(wanted, set(kinds), Demands(100, texts, **demands), folder=tmp_path)


def test_without_a_base_the_run_goes_on_and_says_so_in_one_line(tmp_path, hub):
    found = find("auto", tmp_path)
    assert found.bases == {}
    assert found.absent == {"text_encoder": "needs a text encoder: there is none for it on this machine"}
    assert found.remarks == (
        "no base on this machine: candidates that need a text encoder stay out; headway bases get all-MiniLM-L6-v2",
    )
    assert "get multilingual-e5-small" in find("auto", tmp_path, texts=("房间很大",)).remarks[0]


def test_auto_takes_what_lies_here_and_says_why(tmp_path, hub):
    hub("someone/tiny", card=CARD)
    found = find("auto", tmp_path, kinds=("text_encoder", "decoder"))
    assert found.bases["text_encoder"].name == "someone/tiny"
    assert list(found.absent) == ["decoder"]
    assert any("auto takes someone/tiny" in remark for remark in found.remarks)


def test_auto_takes_a_base_whose_card_is_silent_by_its_vocabulary(tmp_path, hub):
    hub("someone/tiny")
    assert find("auto", tmp_path).bases["text_encoder"].languages == ("en",)
    chinese = find("auto", tmp_path, texts=("房间很大",))
    assert chinese.bases == {}
    assert "finds none for Chinese texts, only someone/tiny" in " ".join(chinese.remarks)


def test_a_named_base_takes_part_though_it_cannot_meet_a_limit_and_that_is_told(tmp_path):
    text_folder(tmp_path / "tiny")
    assert find("./tiny", tmp_path).remarks == ()
    found = find("./tiny", tmp_path, size_mb=0.001, seconds=1e9)
    assert list(found.bases) == ["text_encoder"]
    (told,) = found.remarks
    assert "./tiny ships with at least" in told
    assert translate(told, "zh") != told


def test_auto_passes_over_a_base_that_is_broken(tmp_path, hub):
    broken = hub("someone/tiny", card=CARD)
    (broken / "tokenizer.json").write_text("{}")
    hub("someone/other", card=CARD)
    found = find("auto", tmp_path)
    assert found.bases["text_encoder"].name == "someone/other"
    (hub("someone/third", card=CARD) / "model.safetensors").write_bytes(b"half")
    assert find("auto", tmp_path).bases["text_encoder"].name == "someone/other"


def test_nothing_is_opened_where_nobody_needs_it(tmp_path, hub):
    assert find("auto", tmp_path, kinds=()).remarks == ()
    assert find("./nowhere", tmp_path, kinds=()).remarks == ("no candidate needs the base ./nowhere",)


def test_none_keeps_every_base_out(tmp_path, hub):
    hub("someone/tiny", card=CARD)
    found = find("none", tmp_path)
    assert (found.bases, found.remarks) == ({}, ())
    assert "base: none" in found.absent["text_encoder"]


def test_a_named_base_of_another_kind_is_no_help(tmp_path):
    text_folder(tmp_path / "tiny")
    found = find("./tiny", tmp_path, kinds=("image_encoder",))
    assert found.bases == {}
    assert found.absent["image_encoder"] == "needs an image encoder: the base ./tiny is of another kind"


def test_a_named_base_that_is_too_large_is_an_error(tmp_path):
    text_folder(tmp_path / "tiny")
    with pytest.raises(BaseModelError, match="too large for the memory budget"):
        find("./tiny", tmp_path, memory_mb=300)


def test_long_and_foreign_texts_are_told(tmp_path):
    sentence_folder(tmp_path / "tiny", card=CARD, window=16)
    long = ("the room was clean " * 20, "房间很大" * 10)
    told = find("./tiny", tmp_path, texts=long).remarks
    assert "100% of the texts are longer than the 16 tokens that ./tiny reads" in told
    assert any("was made for other languages (en)" in remark for remark in told)
    assert find("./tiny", tmp_path).remarks == ()


def test_a_name_that_cannot_be_meant_is_found_at_once(tmp_path):
    for fine in ("auto", "none", "ALL-minilm-L6-v2", "someone/anything"):
        check_name(fine, folder=tmp_path)
    with pytest.raises(BaseModelError, match='did you mean "all-MiniLM-L6-v2"'):
        check_name("all-MiniLM", folder=tmp_path)


def test_a_resumed_run_wants_the_same_base(tmp_path):
    text_folder(tmp_path / "tiny")
    found = find("./tiny", tmp_path)
    digest = found.bases["text_encoder"].digest
    again = reopen({"text_encoder": ("./tiny", digest)}, {}, ["told"], folder=tmp_path)
    assert again.bases == found.bases
    assert again.remarks == ("told",)
    with pytest.raises(BaseModelError, match="is not what it was"):
        reopen({"text_encoder": ("./tiny", "other")}, {}, (), folder=tmp_path)
