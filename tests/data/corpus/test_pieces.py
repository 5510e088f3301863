from hypothesis import given
from hypothesis import strategies as st

from headway.data.corpus.pieces import LARGEST, cut


@given(st.text(max_size=5000))
def test_pieces_give_the_text_again(text):
    assert "".join(cut(text)) == text


def test_pieces_end_at_the_ends_of_lines():
    text = "".join(f"line {number} of a text\n" for number in range(20_000))
    pieces = cut(text)
    assert all(piece.endswith("\n") for piece in pieces)
    assert max(map(len, pieces)) <= LARGEST * 3 // 2


def test_a_text_of_one_line_is_cut_at_sentences():
    pieces = cut("今天天气很好。我们去公园玩吧！" * 400)
    assert len(pieces) > 10
    assert all(piece.endswith(("。", "！")) for piece in pieces)


def test_a_text_without_any_end_is_cut_all_the_same():
    assert len(cut("a" * 10_000)) > 10
