"""The page in headless Chromium, from a plain static server, against the Python runtime's answers."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from headway.export import export
from headway.export.packed import open_packed
from headway.runtime import load
from tests.browser import ENTER, SPACE, TAB, needs_browser, open_browser, serve_folder
from tests.export.browser.test_feeds import CATEGORIES, DATES, NUMBERS
from tests.models.test_contract import fresh

pytestmark = needs_browser
READY = "document.body.dataset.state === 'ready'"
ANSWERED = "!document.getElementById('answer').hidden"
ASK = """
const rows = arguments[0].map((row) => Object.fromEntries(Object.entries(row)));
const answers = await headway.predict(rows);
return answers.map(({ prediction, probabilities }) => [prediction, probabilities?.map(([, p]) => p) ?? null]);"""


@pytest.fixture(scope="module")
def browser():
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def served(request, web_runtime, tmp_path_factory):
    """Export a package once and serve the folder; returns its address."""
    known = {}
    contexts = []

    def serve(fixture):
        if fixture not in known:
            out = tmp_path_factory.mktemp("site") / fixture
            export(request.getfixturevalue(fixture), "browser", out=out, runtime=web_runtime)
            contexts.append(serve_folder(out))
            known[fixture] = contexts[-1].__enter__()
        return known[fixture]

    yield serve
    for context in contexts:
        context.__exit__(None, None, None)


def stored(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def compare(browser, package, python_rows, page_rows):
    expected = load(package).predict(python_rows)
    answers = browser.run(ASK, page_rows)
    for row, wanted, (prediction, probabilities) in zip(page_rows, expected, answers, strict=True):
        assert prediction == pytest.approx(wanted.prediction, abs=1e-4) if probabilities is None else True
        if probabilities is not None:
            assert prediction == wanted.prediction, row
            np.testing.assert_allclose(probabilities, list(wanted.probabilities.values()), atol=1e-4)


@pytest.mark.parametrize(("fixture", "family"), [("table_package", "linear"), ("token_package", "text_cnn")])
def test_rows_are_answered_as_python_does(browser, served, request, fixture, family):
    browser.open(served(fixture))
    browser.wait(READY)
    package = request.getfixturevalue(fixture)
    names = [column.name for column in open_packed(package).manifest.inputs]
    rows = [
        {name: cell.isoformat() if hasattr(cell, "isoformat") else cell for name, cell in row.items() if name in names}
        for row in fresh(family, "classify").rows.to_dicts()
    ]
    odd = [
        {"a text": "Ａ ﬁ ΣΑΣ 房间 👍🏽 [UNK]", "a number": number, "a category": category, "a date": date}
        for number, category, date in zip(NUMBERS[:4], CATEGORIES[:4], [*DATES[:1], *DATES[2:5]], strict=True)
        if number != "1,23"
    ]
    rows += [{name: cell for name, cell in row.items() if name in names} for row in odd]
    compare(browser, package, rows, rows)
    assert browser.complaints() == []


def test_pictures_are_answered_as_python_does(browser, served, image_package):
    browser.open(served("image_package"))
    browser.wait(READY)
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:1:90j, 0:1:120j]
    waves = [np.sin(7 * x + 5 * y + channel) for channel in range(3)]
    photo = Image.fromarray(np.uint8(128 + 90 * np.stack(waves, 2) + generator.normal(0, 5, (90, 120, 3))))
    clear = photo.copy()
    clear.putalpha(Image.linear_gradient("L").resize(photo.size))
    turned = Image.Exif()
    turned[0x112] = 6
    exact = [
        stored(photo, "PNG"), stored(clear, "PNG"), stored(photo.convert("L"), "PNG"), stored(photo, "BMP"),
        stored(photo.quantize(16), "GIF"), stored(photo, "WEBP", quality=80),
    ]  # fmt: skip
    shrunk = [stored(photo, "JPEG", quality=90), stored(photo, "JPEG", quality=90, exif=turned.tobytes())]
    column = load(image_package).manifest.inputs[0].name

    def addressed(contents):
        return [{column: "data:;base64," + base64.b64encode(content).decode()} for content in contents]

    compare(browser, image_package, [{column: content} for content in exact], addressed(exact))
    expected = [answer.probabilities for answer in load(image_package).predict([{column: c} for c in shrunk])]
    for wanted, (_, probabilities) in zip(expected, browser.run(ASK, addressed(shrunk)), strict=True):
        np.testing.assert_allclose(probabilities, list(wanted.values()), atol=0.02)


def test_a_row_is_filled_in_and_asked_with_keys_alone(browser, served):
    browser.open(served("table_package") + "?lang=en")
    browser.wait(READY)
    browser.run("document.getElementById('language').focus()")
    browser.press(TAB, *"lovely room", TAB, *"1,9", TAB, *"green")
    browser.run("document.getElementById('example').focus()")
    browser.press(SPACE)
    assert browser.run("return document.getElementById('input-2').value")
    browser.run("document.getElementById('input-1').focus()")
    browser.press(ENTER)
    browser.wait(ANSWERED)
    assert browser.text("#prediction") in {"差评 bad", "fair", "good"}
    assert "probability" in browser.text("#confidence")
    assert browser.run("return document.querySelectorAll('#probabilities li').length") == 3


def test_a_wrong_cell_is_named_in_the_readers_language(browser, served):
    browser.open(served("table_package") + "?lang=zh")
    browser.wait(READY)
    browser.type("#input-1", "many")
    browser.click("#ask")
    browser.wait("document.getElementById('problem').textContent")
    assert browser.text("#problem") == "无法读取“a number”。应为：数字，如 12.5 或 1,250；也可留空"
    assert browser.run("return document.activeElement.id") == "input-1"
    browser.click("#language")
    assert browser.run("return document.documentElement.lang") == "en"
    assert browser.run("return document.getElementById('input-1').value") == "many"
    browser.click("#clear")
    browser.click("#ask")
    assert browser.text("#problem") == "Nothing is filled in yet."


def test_nothing_is_loaded_from_elsewhere_and_a_phone_shows_it_whole(browser, served, tmp_path):
    browser.resize(360, 640)
    address = served("table_package")
    browser.open(address + "?lang=zh")
    browser.wait(READY)
    browser.click("#example")
    browser.click("#ask")
    browser.wait(ANSWERED)
    loaded = browser.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert loaded
    assert all(name.startswith((address, "data:", "blob:")) for name in loaded)
    assert browser.run("return document.documentElement.scrollWidth") <= 360
    browser.picture(tmp_path / "phone.png")
    with Image.open(tmp_path / "phone.png") as picture:
        assert picture.width == 360
    labels = "return [...document.querySelectorAll('#fields label')].every((label) => label.control)"
    assert browser.run(labels)


def test_a_changed_model_is_told_and_not_run(browser, served, web_runtime, table_package, tmp_path):
    export(table_package, "browser", out=tmp_path / "site", runtime=web_runtime)
    with (tmp_path / "site" / "package" / "model.onnx").open("ab") as file:
        file.write(b"x")
    with serve_folder(tmp_path / "site") as address:
        browser.open(address + "?lang=en")
        browser.wait("document.body.dataset.state === 'broken'")
        assert "cannot be opened here" in browser.text("#problem")
        assert "model.onnx: a file was changed" in browser.text("#problem")
