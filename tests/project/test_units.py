import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.project.units import read_megabytes, read_milliseconds, read_seconds, read_share, write_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h30m", 5400), ("1.5h", 5400), ("2 min 5 s", 125), ("500ms", 0.5), ("5分钟", 300)],
)
def test_durations(text, seconds):
    assert read_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "megabytes"), [("4GB", 4096), ("50MB", 50), ("512 kb", 0.5), ("1.5g", 1536), ("1TB", 1024**2)]
)
def test_sizes(text, megabytes):
    assert read_megabytes(text) == pytest.approx(megabytes)


def test_latencies_are_milliseconds():
    assert read_milliseconds("20ms") == pytest.approx(20)
    assert read_milliseconds("0.5s") == pytest.approx(500)


def test_shares():
    assert read_share("20%") == pytest.approx(0.2)
    assert read_share("12.5 ％") == pytest.approx(0.125)


@pytest.mark.parametrize("read", [read_seconds, read_megabytes, read_milliseconds, read_share])
def test_anything_but_text_is_handed_on(read):
    assert read(7) == 7
    assert read(None) is None


@pytest.mark.parametrize("text", ["", "fast", "5", "5 parsecs", "-5m", "5m!", "m5"])
def test_other_words_are_refused_with_what_was_expected(text):
    with pytest.raises(ValueError, match="a duration such as"):
        read_seconds(text)


@given(st.text(max_size=20))
def test_no_text_breaks_a_reader_in_another_way(text):
    for read in (read_seconds, read_megabytes, read_milliseconds, read_share):
        try:
            assert isinstance(read(text), float | int)
        except ValueError as error:
            assert "such as" in str(error)  # noqa: PT017


@given(st.integers(1, 100_000))
def test_what_is_written_reads_back(seconds):
    written = write_seconds(seconds)
    step = 60 if "h" in written else 1
    assert abs(read_seconds(written) - seconds) <= step


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.34, "2.3s"), (59, "59s"), (60, "1m"), (90, "1m 30s"), (5400, "1h 30m")]
)
def test_seconds_are_written_short(seconds, text):
    assert write_seconds(seconds) == text
