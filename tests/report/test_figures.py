import pytest

from headway.report.figures import (
    write_interval,
    write_megabytes,
    write_metric,
    write_milliseconds,
    write_number,
    write_of_hundred,
    write_seconds,
    write_share,
    write_value,
)
from headway.report.words import speak


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.5, "50.0%"), (0, "0%"), (1, "100%"), (0.0001, "<0.1%"), (0.9999, ">99.9%"), (0.0005, "0.1%")],
)
def test_a_share_is_never_rounded_to_all_or_none(share, text):
    assert write_share(share) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.914, "91"), (0.999, "99.9"), (0.99999, "99.9"), (1, "100"), (0, "0"), (0.0001, "0.1")]
)
def test_of_a_hundred_is_never_rounded_to_all_or_none(share, text):
    assert write_of_hundred(share) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (1234567.8, "1,234,568"),
        (12.3456, "12.35"),
        (0.00012345, "0.0001234"),
        (-3.14159, "-3.142"),
        (1e-12, "1e-12"),
        (float("inf"), "∞"),
        (float("nan"), "–"),
    ],
)
def test_a_number_has_four_digits(number, text):
    assert write_number(number) == text


def test_metrics_are_written_as_people_quote_them():
    assert write_metric("accuracy", 0.9123) == "91.2%"
    assert write_metric("roc_auc", 0.9123) == "0.912"
    assert write_metric("rmse", 20123.4) == "20,123"
    assert write_metric("coverage_80", 0.78) == "78.0%"
    assert write_interval("accuracy", (0.9, 0.95)) == "90.0% – 95.0%"
    assert write_interval("accuracy", None) == ""


def test_times_and_sizes_have_their_unit():
    say = speak("zh")
    assert [write_seconds(value, say) for value in (None, 0.01, 3.14, 58.3, 200)] == [
        "",
        "<0.1 秒",
        "3.1 秒",
        "58 秒",
        "3.3 分钟",
    ]
    assert [write_milliseconds(value) for value in (None, 0.312, 6.1, 27.6)] == ["", "0.31 ms", "6.1 ms", "28 ms"]
    assert [write_megabytes(value) for value in (None, 0.01, 5.23, 1234)] == ["", "10 KB", "5.2 MB", "1,234 MB"]
    assert [write_value(value) for value in (3.0, 3.14159, float("nan"))] == ["3", "3.142", "–"]
