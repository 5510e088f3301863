import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.masking import read_cases, score
from headway.privacy.masking import find, mask


def test_recall_and_precision_on_the_marked_texts():
    counts = score(read_cases())
    hits, misses, false, _ = (sum(each[place] for each in counts.values()) for place in range(4))
    assert hits + misses > 110
    assert hits / (hits + misses) >= 0.94
    assert hits / (hits + false) >= 0.94


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13812345678，谢谢", "电话[PHONE]，谢谢"),
        ("mail a.b@example.com now", "mail [EMAIL] now"),
        ("身份证11010519491231002X", "身份证[RESIDENT_ID]"),
        ("卡4111111111111111和6222020200112233446", "卡[BANK_CARD]和[BANK_CARD]"),
        ("房间1208，388元，2023-05-01", "房间1208，388元，2023-05-01"),
    ],
)
def test_a_word_stands_in_place_of_the_data(text, masked):
    assert mask(text).text == masked


def test_a_wrong_check_digit_is_another_number():
    assert not [each for each in find("编号110105194912310021") if each.kind == "resident_id"]
    assert not [each for each in find("order 4111111111111112") if each.kind == "bank_card"]


@given(st.text(max_size=80))
def test_any_text_survives(text):
    masked = mask(text)
    rest, end = "", 0
    for each in masked.found:
        assert end <= each.start < each.end <= len(text)
        rest, end = rest + text[end : each.start] + f"[{each.kind.upper()}]", each.end
    assert masked.text == rest + text[end:]
