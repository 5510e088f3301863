import base64
import io
import re

from PIL import Image

from headway.data.dataset import ROW, Column
from headway.report.cells import show_cell, show_cells


def test_a_cell_is_text_cut_where_it_is_long():
    assert show_cell("a <b> &") == "a &lt;b&gt; &amp;"
    assert show_cell("x" * 1000).count("x") < 1000
    assert "…" in show_cell("x" * 120, longest=100)
    assert show_cell(None) == show_cell("") == '<span class="none">–</span>'
    assert [show_cell(value) for value in (3.0, 0.5, float("nan"), 7, True)] == ["3", "0.5000", "–", "7", "True"]


def test_an_image_becomes_a_small_thumbnail_inside_the_page(picture, tmp_path):
    (tmp_path / "a.png").write_bytes(picture)
    for value, folder in ((picture, ""), ("a.png", str(tmp_path)), (str(tmp_path / "a.png"), "")):
        shown = show_cell(value, image=True, folder=folder)
        data = re.search(r'src="data:image/webp;base64,([^"]+)"', shown)
        small = Image.open(io.BytesIO(base64.b64decode(data.group(1))))
        assert max(small.size) == 96
        assert len(shown) < 10_000


def test_a_broken_or_missing_image_is_named(tmp_path):
    (tmp_path / "<b>.png").write_bytes(b"not an image")
    assert show_cell("<b>.png", image=True, folder=str(tmp_path)) == "&lt;b&gt;.png"
    assert show_cell("gone.png", image=True, folder=str(tmp_path)) == "gone.png"
    assert show_cell(b"", image=True) == "?"


def test_a_row_names_its_cells_and_leaves_the_row_number_out():
    cells = {ROW: 3, "a": "x", "b": None}
    shown = show_cells(cells, (Column("a", "text"), Column("b", "number")), "")
    assert "a </span>x" in shown
    assert ROW not in shown
    assert "cell-name" not in show_cells({ROW: 3, "a": "x"}, (Column("a", "text"),), "")
