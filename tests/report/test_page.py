import base64
import hashlib
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from headway.data.dataset import Column
from headway.evaluation.decisions import Threshold
from headway.evaluation.scores import Mistake
from headway.report.page import render_report, write_report

VOID = {"meta", "br", "img", "wbr"}


class Checker(HTMLParser):
    """Checks that every tag is closed in order, and collects attributes."""

    def __init__(self):
        super().__init__()
        self.open, self.attributes, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ["reviews", "prices", "intents"])
def test_a_report_is_one_well_formed_small_file_that_asks_for_nothing(name, lang, tmp_path, request):
    path = write_report(tmp_path / "run" / "report.html", request.getfixturevalue(name), lang=lang)
    page = path.read_text(encoding="utf-8")
    checker = check(page)
    assert len(page) < 300_000
    assert list(path.parent.iterdir()) == [path]
    for tag, attribute, value in checker.attributes:
        assert attribute not in {"src", "href", "action", "srcset"} or value.startswith(("#", "data:")), (tag, value)
        assert not attribute.startswith("on")
    assert not re.search(r"url\(|@import|https?://", page)
    targets = {value for _, name, value in checker.attributes if name == "id"}
    assert {value[1:] for _, name, value in checker.attributes if name == "href"} <= targets


def test_a_cell_a_label_and_a_reason_that_hold_a_script_are_shown_as_text(reviews):
    page = render_report(reviews, "en")
    assert page.count("<script>") == 1
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in page


def test_the_policy_names_the_very_script_of_the_page(reviews):
    page = render_report(reviews, "en")
    script = re.search(r"<script>(.*)</script>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src &#x27;sha256-{digest}&#x27;" in page
    assert "default-src &#x27;none&#x27;" in page


def test_everything_of_a_run_is_there(reviews):
    page = render_report(reviews, "en")
    for words in (
        "the same review occurs before",
        "差得不得了",
        "6 ms is over 5 ms",
        "Training of ngram_linear: cross-entropy",
        "Labels that are likely wrong",
        "How probabilities become an answer",
        "temperature 1.40",
        "What is taken for what",
        "something new",
        "one remark",
        "58 s of a budget of 5.0 min",
        "runtime.load(&#x27;runs/hotel/package&#x27;)",
        "headway predict runs/hotel/package",
    ):
        assert words in page, words


def test_the_chinese_page_is_chinese(reviews):
    page = render_report(reviews, "zh")
    assert '<html lang="zh-CN">' in page
    for words in ("简要结论", "混淆矩阵", "下一步建议", "置信度可信吗？", "可能标错的标签", "名词解释"):
        assert words in page


def test_many_labels_are_shown_as_their_worst_pairs(intents):
    page = render_report(intents, "en")
    assert "There are 77 labels" in page
    assert "What is taken for what" not in page
    assert "Show 65 more" in page
    assert "The winner is a weighted ensemble: a 60.0%, b 40.0%." in page


def test_costs_are_shown_as_a_table(reviews):
    page = render_report(replace(reviews, threshold=None, costs=((0.0, 1.0), (5.0, 0.0))), "en")
    assert "least expected cost" in page
    assert '<td class="number">5.000</td>' in page


def test_mistakes_on_images_are_shown_as_thumbnails(reviews, picture):
    mistakes = tuple(Mistake(i, {"photo": picture}, "a", "b", 0.9) for i in range(20))
    content = replace(reviews, inputs=(Column("photo", "image"),), scores=replace(reviews.scores, mistakes=mistakes))
    page = render_report(content, "en")
    assert page.count('class="thumbnail"') == 20
    assert len(page) < 400_000


def test_a_report_is_replaced_in_one_step(reviews, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    write_report(path, reviews, lang="zh")
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert list(tmp_path.iterdir()) == [path]


def test_reading_the_report_room_imports_nothing_heavy():
    code = (
        "import sys, headway.report.page; print([m for m in ('torch', 'sklearn', 'scipy', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("width", [390, 1100])
def test_a_browser_shows_it_without_an_error_and_without_scrolling_sideways(width, reviews, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium is installed")
    page = write_report(tmp_path / "report.html", reviews, lang="zh")
    # The page's own policy forbids a foreign script, so a frame measures it from outside.
    outer = tmp_path / "outer.html"
    outer.write_text(
        f"<iframe src='report.html' width={width} height=900 style='border:0'></iframe><pre></pre><script>"
        "document.querySelector('iframe').onload = e => { const d = e.target.contentDocument;"
        "document.querySelector('pre').textContent = 'wide ' + d.documentElement.scrollWidth +"
        "' svg ' + [...d.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width > 0).length +"
        "' sorts ' + d.querySelectorAll('th[data-sorts]').length; }</script>",
        encoding="utf-8",
    )
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", "--allow-file-access-from-files", "--window-size=1300,1000"]
    done = subprocess.run(
        [browser, *options, "--virtual-time-budget=5000", "--dump-dom", outer.as_uri()],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    wide, charts, sorts = re.search(r"wide (\d+) svg (\d+) sorts (\d+)", done.stdout).groups()
    assert int(wide) <= width
    assert int(charts) == Path(page).read_text(encoding="utf-8").count("<figure>")
    assert int(sorts) > 0


def test_every_cell_of_the_leaderboard_names_its_column_for_narrow_screens(reviews):
    page = render_report(reviews, "en")
    board = page[page.index('id="candidates"') :]
    assert '<table class="loose">' in board[: board.index("</table>")]
    assert 'data-name="latency p95"' in board[: board.index("</table>")].lower()


@pytest.mark.parametrize(("low", "reached", "doubted"), [(0.62, True, True), (0.96, True, False), (0.62, False, False)])
def test_a_wanted_precision_that_rests_on_few_rows_is_doubted(reviews, low, reached, doubted):
    chosen = Threshold("差评", 0.9, 0.95, reached, 1.0, (low, 1.0), 0.1, 6)
    page = render_report(replace(reviews, threshold=chosen), "en")
    words = "rests on only 6 validation rows: the true one may be as low as 62.0%, below the wanted 95.0%"
    assert (words in page) is doubted
