import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from headway.data.sources.records import Shape, parse_records


def fields(text, shape=None, **options):
    return [record.fields for record in parse_records(text, shape or Shape(), **options)]


def test_quotes_may_hold_separators_newlines_and_quotes():
    assert fields('a,"b,c"\n"x\ny","say ""hi"""\n') == [["a", "b,c"], ["x\ny", 'say "hi"']]


def test_a_quote_inside_a_field_is_a_letter():
    assert fields('5" disk,2\n') == [['5" disk', "2"]]


def test_a_quote_that_never_closes_spoils_only_its_own_line():
    found = list(parse_records('a,b\n"open,2\n3,4\n', Shape()))
    assert [record.fields for record in found] == [["a", "b"], [], ["3", "4"]]
    assert found[1].reason == "a quote opens and never closes"


def test_a_record_that_may_go_on_in_the_next_block_is_left_open():
    found = list(parse_records('a,b\n"open,2\n3,4\n', Shape(), whole=False))
    assert found[-1].reason == "open"
    assert found[-1].text == '"open,2\n3,4\n'


def test_in_tab_separated_text_a_quote_does_not_swallow_lines():
    assert fields('ham\t"so he said\nspam\tyes"\n', Shape("\t")) == [["ham", '"so he said'], ["spam", 'yes"']]


def test_blank_lines_are_left_out_and_line_ends_may_be_dos():
    assert fields("a,b\r\n\r\n1,2\r\n") == [["a", "b"], ["1", "2"]]


def test_blanks_after_separators_are_skipped_on_wish():
    assert fields('a, b, "c, d"\n', Shape(",", '"', skip_space=True)) == [["a", "b", "c, d"]]


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1, max_size=20)


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8))
def test_what_the_csv_module_writes_is_read_back(rows):
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    assert fields(stream.getvalue()) == [list(row) for row in rows]


@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text):
    list(parse_records(text, Shape()))
    list(parse_records(text, Shape("\t", None), whole=False))
