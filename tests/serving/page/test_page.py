"""The page in a real browser."""

import re

import httpx
import pytest
from PIL import Image

from headway.serving.keys import add_key
from tests.serving.packages import write_tiny
from tests.serving.page.browser import ENTER, TAB

pytestmark = pytest.mark.slow


def ask(browser):
    browser.click("#ask")
    return browser.wait_for(lambda: browser.text("#answer"))


def test_one_asks_sees_probabilities_and_corrects(running, tiny_package, browse):
    service = running(tiny_package, "--workers", 1)
    browser = browse()
    browser.open(f"{service.url}/?lang=en")
    assert browser.text("h1") == "numbers"
    assert "Accuracy 0.9 on rows it had never seen" in browser.text(".lead")
    assert browser.run("return document.getElementById('field-0').value") == "1.5"
    ask(browser)
    assert browser.text("#said") == "好评"
    assert len(browser.run("return [...document.querySelectorAll('.share')].map(each => each.innerText)")) == 2
    browser.click("#correct")
    browser.wait_for(lambda: "keeps none" in browser.text("#answer"))
    browser.run("document.getElementById('field-0').value = 'many'")
    browser.click("#ask")
    browser.wait_for(lambda: "expected a number" in browser.text("#answer"))
    assert [words for words in browser.complaints() if "status of 422" not in words] == []


def test_it_works_from_the_keyboard_alone(running, tiny_package, browse):
    service = running(tiny_package, "--workers", 1)
    browser = browse()
    browser.open(f"{service.url}/?lang=en")
    order = []
    for _ in range(4):
        browser.press(TAB)
        order.append(browser.run("return document.activeElement.id"))
    assert order == ["language", "field-0", "field-1", "ask"]
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press(ENTER)
    browser.wait_for(lambda: browser.text("#said"))
    browser.press(TAB)
    assert browser.run("return document.activeElement.id") == "yes"


@pytest.mark.parametrize("phone", [False, True])
def test_chinese_fits_wide_and_phone(running, tiny_package, browse, phone):
    service = running(tiny_package, "--workers", 1)
    browser = browse(phone=phone, lang="zh-CN")
    browser.open(service.url)
    assert browser.run("return document.documentElement.lang") == "zh-CN"
    assert browser.text("h2") == "试一试模型"
    assert "把握" in ask(browser)
    width, room = browser.run("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= room
    assert (room < 500) == phone
    small = "return [...document.querySelectorAll('button:not(.copy), input, select')].map(e => e.offsetHeight)"
    assert min(browser.run(small)) >= 44
    browser.click("#language")
    browser.wait_for(lambda: browser.text("h2") == "Try the model")
    assert browser.complaints() == []


def test_a_refusal_is_told_in_the_language_of_the_page(running, tiny_package, browse):
    service = running(tiny_package, "--workers", 1)
    browser = browse(lang="en-US")
    browser.open(f"{service.url}/?lang=zh")
    browser.run("document.getElementById('field-0').value = 'many'")
    browser.click("#ask")
    told = browser.wait_for(lambda: browser.text("#answer li"))
    assert told == "“a”应为：如 12.5 或 \"1,250\" 的数字，或空单元格；实际为：'many'"
    browser.click("#language")
    browser.wait_for(lambda: browser.text("h2") == "Try the model")
    browser.run("document.getElementById('field-0').value = 'many'")
    browser.click("#ask")
    told = browser.wait_for(lambda: browser.text("#answer li"))
    assert told == "a: expected a number such as 12.5 or \"1,250\", or an empty cell; got 'many'"


@pytest.mark.parametrize(("lang", "words"), [("en", "is a number, such as 12.5"), ("zh", "正确答案应为数字，如 12.5")])
def test_a_correction_of_a_number_needs_a_number(running, browse, tmp_path, lang, words):
    service = running(write_tiny(tmp_path / "package", "values"), "--workers", 1)
    browser = browse()
    browser.open(f"{service.url}/?lang={lang}")
    browser.type("#field-0", "2")
    ask(browser)
    for wrong in ("", "  ", "many", "1e999"):
        browser.run(f"document.getElementById('truth').value = {wrong!r}")
        browser.run("document.getElementById('refused').textContent = ''")
        browser.click("#correct")
        assert words in browser.text("#refused")
        assert browser.run("return document.activeElement.id") == "truth"
    assert browser.text(".figures div:last-child b") == "0"
    browser.run("document.getElementById('truth').value = '3.5'")
    browser.click("#correct")
    browser.wait_for(lambda: not browser.run("return document.getElementById('truth')"))
    assert httpx.get(f"{service.url}/metrics").text.count("headway_feedback_total 1.0") == 1


def test_the_pictures_move(running, tiny_package, browse):
    service = running(tiny_package, "--workers", 1)
    browser = browse()
    browser.open(f"{service.url}/?lang=en")
    assert len(browser.run("return [...document.querySelectorAll('#live svg.wide')].map(e => e.tagName)")) == 2
    ask(browser)
    rows = "return document.querySelectorAll('.figures b')[1].innerText"
    browser.wait_for(lambda: browser.run(rows) == "1")


def test_pictures_are_uploaded_and_shown(running, browse, tmp_path):
    package = picture_package(tmp_path)
    Image.new("RGB", (20, 20), (70, 70, 70)).save(tmp_path / "grey.png")
    service = running(package, "--workers", 1)
    browser = browse()
    browser.open(f"{service.url}/?lang=en")
    browser.type("#field-0", str(tmp_path / "grey.png"))
    browser.wait_for(lambda: browser.run("return document.querySelector('.preview').naturalWidth") == 20)
    ask(browser)
    assert browser.text("#said") == "70"
    assert browser.complaints() == []


def picture_package(tmp_path):
    from dataclasses import replace

    import numpy as np

    from headway.package.opening import open_graph
    from headway.package.writing import write_package
    from tests.serving.packages import GRAPHS

    manifest, graph = GRAPHS["pictures"]
    columns = {"photo": [np.full((4, 4, 3), 9, np.uint8)]}
    expected = open_graph(graph).run(columns)
    return write_package(tmp_path / "p", graph, replace(manifest), card="", columns=columns, expected=expected)


def test_with_keys_one_signs_in(running, tiny_package, browse, tmp_path):
    key = add_key(tmp_path / "keys.json", name="me")
    service = running(tiny_package, "--workers", 1, "--keys", tmp_path / "keys.json")
    browser = browse()
    browser.open(f"{service.url}/?lang=en")
    assert browser.text("#form") is None
    browser.type("#key", "wrong")
    browser.press(ENTER)
    browser.wait_for(lambda: browser.text(".wrong"))
    browser.type("#key", key)
    browser.press(ENTER)
    browser.wait_for(lambda: browser.text("#form"))
    assert "好评" in ask(browser)
    assert browser.run("return document.cookie") == ""


def test_nothing_is_loaded_from_elsewhere(running, tiny_package, browse):
    service = running(tiny_package, "--workers", 1)
    browser = browse()
    browser.open(f"{service.url}/?lang=en")
    loaded = browser.run("return performance.getEntriesByType('resource').map(each => each.name)")
    assert loaded
    assert [name for name in loaded if not name.startswith(service.url)] == []
    source = browser.run("return document.documentElement.outerHTML")
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]*', source) == []
