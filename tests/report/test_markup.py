from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from headway.report.markup import Markup, block, element, folded_table, join, table


class Reader(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self):
        super().__init__()
        self.text, self.tags, self.attributes = [], [], []

    def handle_data(self, data):
        self.text.append(data)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


@given(text=st.text(), value=st.text())
def test_any_text_is_shown_as_text_and_any_value_stays_in_its_attribute(text, value):
    reader = Reader()
    reader.feed(element("p", text, attributes={"title": value}))
    reader.close()
    shown = text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    assert reader.tags == ["p"]
    assert "".join(reader.text).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "") == shown
    assert [name for name, _ in reader.attributes] == ["title"]


def test_markup_is_taken_as_it_is_and_none_is_left_out():
    assert block("a", Markup("<b>1</b>"), None, 2) == '<div class="a"><b>1</b>2</div>'
    assert element("br") == "<br>"
    assert join(["<", Markup("<")]) == "&lt;<"


def test_a_table_aligns_numbers_and_names_cells_for_a_phone():
    made = table(("a", "b"), [("<x>", 3)], numbers=(1,), kind="loose")
    assert '<td data-name="a">&lt;x&gt;</td><td class="number" data-name="b">3</td>' in made
    assert "<thead>" not in table((), [(1, 2)])


def test_a_long_table_folds_what_comes_after_the_first_rows():
    made = folded_table(("n",), [(i,) for i in range(5)], first=3, more="2 more")
    shown, folded = made.split("<details>")
    assert "<td>2</td>" in shown
    assert "<td>3</td>" not in shown
    assert "<summary>2 more</summary>" in folded
    assert "<details>" not in folded_table(("n",), [(1,)], first=3, more="")


def test_a_lone_surrogate_can_be_written():
    assert element("p", "a\ud800b").encode("utf-8") == b"<p>a?b</p>"
