from dataclasses import replace

import pytest

from headway.compression.gate import Change
from headway.compression.verdict import Verdict
from headway.package.measuring import Measured
from headway.report.content import Compression
from headway.report.page import render_report
from headway.report.sections.compression import show_compression

NAN = float("nan")
ORIGINAL = Verdict("original", "original", "original", measured=Measured(2.0, 3.0, 200.0, 90.0, 300.0))
CHANGE = Change("accuracy", 1200, (0.93, 0.928), 0.002, (-0.001, 0.0045), 0.01)
CHOSEN = Verdict("int8", "quantised", "chosen", measured=Measured(1.0, 1.5, 500.0, 23.0, NAN), change=CHANGE)
REASON = "it may lose up to 2.00% of accuracy, 0.50% are allowed (measured 1.40% on 1,200 rows)"
REFUSED = Verdict("int4", "quantised", "refused", REASON, Measured(1.1, 1.5, 450.0, 15.0, NAN), CHANGE)
LATE = Verdict("bag student", "distilled", "skipped", "needs about 90 s, 12 s are left")
COMPRESSION = Compression((ORIGINAL, CHOSEN, REFUSED, LATE), 0.005, "compressed/package")


def test_every_variant_is_told_with_its_figures_and_the_reason_against_it():
    page = show_compression(COMPRESSION, "en")
    for part in ("23.0 MB", "0.20% (-0.10% – 0.45%)", "90.0 MB", "compressed/package", REASON, "needs about 90 s"):
        assert part in page
    assert page.count("<circle") >= 3


def test_chinese_readers_get_it_in_chinese():
    page = show_compression(COMPRESSION, "zh")
    assert "采用 int8" in page
    assert "accuracy 至多可能损失 2.00%" in page or "至多可能损失 2.00%" in page
    assert "约需 90 秒，只剩 12 秒" in page


def test_where_nothing_passes_the_original_is_said_to_ship():
    page = show_compression(replace(COMPRESSION, verdicts=(ORIGINAL, REFUSED), package=None), "en")
    assert "The original ships" in page


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_has_the_section_where_there_was_compression(reviews, lang):
    page = render_report(replace(reviews, compression=COMPRESSION), lang)
    assert 'id="compression"' in page
    assert 'id="compression"' not in render_report(reviews, lang)
