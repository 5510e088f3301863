import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.sources.encoding import check_encoding, find_encoding
from headway.errors import DataError

CHINESE = "距离川沙公路较近，但是公交指示不对，房间较为简单。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "utf-8"),
        ("plain words only", "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "utf-16"),
        (CHINESE, "gb18030"),
        ("label,review\n1," + CHINESE, "gb18030"),
        ("un café très élégant, naïve façade, señor Müller", "cp1252"),
        ("éléphant été", "cp1252"),
        ("這家旅館的房間很大，早餐也很好吃，離車站不遠，服務人員態度親切，下次還會再來住", "big5"),
        ("Номер был очень чистый, завтрак вкусный, персонал приветливый, обязательно вернёмся", "cp1251"),
    ],
)
def test_an_encoding_is_found(text, encoding):
    assert text.encode(encoding).decode(find_encoding(text.encode(encoding))) == text


def test_bytes_that_cp1252_does_not_know_are_latin_1():
    assert find_encoding(b"caf\xe9 \x81 ok") == "latin-1"


def test_a_character_cut_off_at_the_end_does_not_mislead():
    assert find_encoding(CHINESE.encode()[:-1]) == "utf-8"
    assert find_encoding(CHINESE.encode("gb18030")[:-1]) == "gb18030"


def test_one_damaged_line_among_many_leaves_it_utf_8():
    assert find_encoding(("é\n" * 30).encode() + b"\xe9\n") == "utf-8"


@given(st.text(min_size=1))
def test_whatever_is_utf_8_is_read_as_such(text):
    data = text.encode()
    if not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        assert find_encoding(data) == "utf-8"


def test_an_unknown_encoding_is_named():
    assert check_encoding("GBK") == "gbk"
    with pytest.raises(DataError, match="klingon"):
        check_encoding("klingon")
