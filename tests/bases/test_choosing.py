import pytest

from headway.bases.choosing import Demands, choose
from headway.bases.listing import Offer

ENGLISH, CHINESE = ("the room was clean", "never again"), ("房间很大", "服务不错")


def offer(name, languages=("en",), *, millions=20, embedding=10, state="ready", is_sentence=True, kind="text_encoder"):
    parameters = int(millions * 1e6)
    return Offer(
        name,
        kind,
        state,
        languages,
        parameters=parameters,
        embedding_parameters=int(embedding * 1e6),
        size_mb=parameters * 4 / 2**20,
        is_sentence=is_sentence,
    )


MINILM = offer("minilm")
E5 = offer("e5", ("multi",), millions=118, embedding=96)
RAW = offer("bert", ("en",), millions=110, embedding=23, is_sentence=False)
FAR = offer("bge", ("en",), millions=30, state="known")


def test_the_language_decides_then_the_training_then_the_size():
    offers = [E5, RAW, MINILM, FAR]
    chosen = choose(offers, "text_encoder", Demands(900, ENGLISH))
    assert chosen.offer is MINILM
    assert chosen.reason == "base: auto takes minilm (20M parameters) for 900 rows of English texts"
    assert choose(offers, "text_encoder", Demands(900, CHINESE)).offer is E5
    assert choose([*offers, offer("larger", millions=40)], "text_encoder", Demands(900, ENGLISH)).offer.name == "larger"


@pytest.mark.parametrize(
    ("demands", "fault"),
    [
        (Demands(900, ENGLISH, memory_mb=650), "needs about"),
        (Demands(900, ENGLISH, size_mb=10), "ships with at least"),
        (Demands(900, ENGLISH, latency_ms=0.0001), "ms a row"),
        (Demands(10**9, ENGLISH, seconds=60), "to read all rows"),
    ],
)
def test_what_cannot_be_paid_is_left_out_with_its_reason(demands, fault):
    chosen = choose([MINILM], "text_encoder", demands)
    assert chosen.offer is None
    assert "minilm" in chosen.reason
    assert fault in chosen.reason


def test_a_smaller_one_is_taken_where_the_best_is_too_large():
    chosen = choose([MINILM, offer("huge", millions=4000)], "text_encoder", Demands(900, ENGLISH, memory_mb=2000))
    assert chosen.offer is MINILM
    assert "; huge needs about" in chosen.reason


def test_no_model_of_another_language_is_taken():
    chosen = choose([MINILM], "text_encoder", Demands(900, CHINESE))
    assert chosen.offer is None
    assert chosen.reason == "base: auto finds none for Chinese texts, only minilm"


def test_images_have_no_language():
    lite = offer("lite", (), millions=3, embedding=0, kind="image_encoder")
    chosen = choose([MINILM, lite], "image_encoder", Demands(900))
    assert chosen.offer is lite
    assert chosen.reason.endswith("for 900 rows of images")


def test_nothing_here_has_no_reason_of_its_own():
    assert choose([FAR], "text_encoder", Demands(900, ENGLISH)).reason == ""
