"""The page of a package that draws, in a real browser."""

import pytest

from tests.runtime.painters import write_painter

pytestmark = pytest.mark.slow
SOURCES = "return [...document.querySelectorAll('#drawn img')].map(each => each.src)"


def drawn(browser, others=()):
    return browser.wait_for(lambda: (found := browser.run(SOURCES)) and found != list(others) and found)


def test_a_grid_is_there_at_once_and_follows_label_and_seed(running, tmp_path, browse):
    service = running(write_painter(tmp_path / "package"), "--workers", 1)
    browser = browse()
    browser.open(f"{service.url}/?lang=en")
    assert "5 x 6 pixels" in browser.text(".lead")
    first = drawn(browser)
    assert len(first) == 16
    assert browser.run("return [...document.querySelectorAll('#wanted option')].map(each => each.value)") == [
        "", "cat", "dog", "3",
    ]  # fmt: skip
    browser.run("document.getElementById('wanted').value = 'dog'; document.getElementById('seed').value = '7'")
    browser.click("#draw button")
    second = drawn(browser, first)
    browser.run("document.getElementById('drawn').replaceChildren()")
    browser.click("#draw button")
    assert drawn(browser) == second
    assert browser.complaints() == []


def test_it_speaks_chinese_and_fits_a_phone(running, tmp_path, browse):
    service = running(write_painter(tmp_path / "package"), "--workers", 1)
    browser = browse(phone=True, lang="zh-CN")
    browser.open(service.url)
    assert "它生成 5 x 6 像素的图片" in browser.text(".lead")
    drawn(browser)
    assert browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
