import pytest

from headway.data.sources.dialect import find_dialect
from headway.errors import DataError
from headway.project.schema import Reading


def find(sample, **reading):
    return find_dialect(sample, Reading(**reading), where="data.csv")


@pytest.mark.parametrize(
    ("sample", "separator"),
    [
        ("a,b\n1,2\n3,4\n", ","),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("a\tb\nx, y\tz\nu, v\tw\n", "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ("4 3 100 7\n2 1 80 6\n3 3 90 5\n", " "),
    ],
)
def test_the_separator_is_found(sample, separator):
    assert find(sample).shape.separator == separator


def test_prose_with_commas_is_one_column():
    found = find("First, a line.\nThen another, longer, line.\nAnd one without.\n" * 5)
    assert found.columns == ("column_1",)
    assert not found.header


@pytest.mark.parametrize(
    ("sample", "header"),
    [
        ("label,review\n1,good\n0,bad\n", True),
        ("text,category\nwhere is it,arrival\nhow much,cost\n", True),
        ("ham\tgo until\nspam\tfree entry\nham\tok lar\n", False),
        ("A11,6,A34\nA12,48,A32\n", False),
        ("6,148,72\n1,85,66\n", False),
        ("日期,评分\n2024-01-01,5\n2024-01-02,4\n", True),
        ("2024-01-01,x\n2024-01-02,y\n", False),
        (",name\n0,ann\n1,bob\n", True),
    ],
)
def test_whether_there_is_a_header_is_found(sample, header):
    assert find(sample).header is header


def test_a_file_without_header_gets_numbered_columns():
    assert find("1,2\n3,4\n").columns == ("column_1", "column_2")


def test_given_names_are_taken():
    assert find("1,2\n3,4\n", columns=("x", "y")).columns == ("x", "y")
    with pytest.raises(DataError, match=r"reading\.columns"):
        find("1,2\n3,4\n", columns=("x",))


def test_what_is_given_is_not_guessed():
    found = find("a,b;c\nd,e;f\n", separator=",", header=False)
    assert (found.shape.separator, found.header) == (",", False)


def test_doubled_names_are_refused():
    with pytest.raises(DataError, match="occur more than once") as caught:
        find("a,b,a\n1,2,3\n")
    assert caught.value.problems[0].got == "a"


def test_single_quotes_around_fields_are_quotes_and_apostrophes_are_not():
    assert find("1,'-1'\n2,'1'\n").shape.quote == "'"
    assert find("text,label\ndon't,1\nit's,2\n").shape.quote == '"'


def test_blanks_after_commas_are_seen():
    assert find("a, b, c\n1, 2, 3\n").columns == ("a", "b", "c")
    assert find("a, b, c\n1, 2, 3\n").shape.skip_space


def test_one_column_knows_quotes_where_they_close():
    assert find('review\ngood\n"bad, not ""again""\nnever"\n').shape.quote == '"'
    assert find('review\n"Go," he said, "now"\nfine\n').shape.quote is None
    assert find('review\n"so it began, and\nwent on, and on\n').shape.quote is None
