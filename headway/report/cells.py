"""How one cell of a row is shown: cut text, short numbers, images as thumbnails inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path

from headway.data.dataset import ROW, Column
from headway.report.figures import write_value
from headway.report.markup import Markup, block, element, join, span

LONGEST = 300
THUMBNAIL = 96
# A page with many wide tables stays small: only the first columns of a row are shown.
MOST_CELLS = 12


def show_cells(
    cells: Mapping[str, object], inputs: tuple[Column, ...], folder: str, *, longest: int = LONGEST
) -> Markup:
    """Return the cells of one row, texts cut to `longest`; with a single input its name is left out."""
    modalities = {column.name: column.modality for column in inputs}
    shown = [(name, value) for name, value in cells.items() if name != ROW][:MOST_CELLS]
    parts = []
    for name, value in shown:
        cell = show_cell(value, image=modalities.get(name) == "image", folder=folder, longest=longest)
        named = len(shown) > 1
        parts.append(span("cell", span("cell-name", name, " ") if named else None, cell))
    return block("cells", *parts)


def show_cell(value: object, *, image: bool = False, folder: str = "", longest: int = LONGEST) -> Markup:
    """Return one cell; missing is a dash, an image that cannot be read its name."""
    if value is None or value == "":
        return span("none", "–")
    if image or isinstance(value, bytes):
        return _show_image(value, folder)
    if isinstance(value, float):
        return join([write_value(value)])
    text = " ".join(str(value)[: 4 * LONGEST].split())
    if len(text) <= longest:
        return join([text])
    return element("span", text[:longest].rstrip() + "…", attributes={"title": text[: 2 * LONGEST]})


def _show_image(value: object, folder: str) -> Markup:
    from PIL import Image, ImageOps

    source = io.BytesIO(value) if isinstance(value, bytes) else Path(folder) / str(value)
    name = "" if isinstance(value, bytes) else Path(str(value)).name
    try:
        with Image.open(source) as opened:
            opened.draft("RGB", (2 * THUMBNAIL, 2 * THUMBNAIL))
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return join([name or "?"])
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    kept = io.BytesIO()
    picture.save(kept, "WEBP", quality=70)
    data = base64.b64encode(kept.getvalue()).decode("ascii")
    # Small images, such as digits, are enlarged by the page.
    attributes = {"src": f"data:image/webp;base64,{data}", "alt": name, "title": name, "class": "thumbnail"}
    return element("img", attributes=attributes)
