from headway.runtime.feeds.cells import shown


def test_a_cell_is_shown_on_one_line_and_never_long():
    assert shown("a\nb") == r"'a\nb'"
    assert shown([1]) == "list [1]"
    assert len(shown("x" * 1000)) == 60


def test_a_cell_that_is_nested_too_deeply_to_be_written_is_told_all_the_same():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    assert shown(nested) == "list, nested too deeply to be shown"
    while nested:  # taken apart from the outside, or freeing it would be as deep
        nested = nested.pop()
