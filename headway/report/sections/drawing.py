"""What a model that draws has drawn: as it learnt, in the end, and beside the nearest pictures it learnt from."""

from __future__ import annotations

import base64
import io

import numpy as np

from headway.evaluation.pictures.judged import Drawing, LookedAt
from headway.report.charts.canvas import figure
from headway.report.charts.lines import draw_curves
from headway.report.content import ReportContent
from headway.report.figures import write_number, write_share
from headway.report.markup import Markup, block, element, join, span
from headway.report.translation import Lang, translate
from headway.report.words import Say, speak
from headway.runtime.image_generation import as_grid, as_image

# Points of the training that are shown as pictures, and samples beside their nearest training picture.
MOST_LOOKS, MOST_PAIRS, COLUMNS = 6, 12, 8
# Small pictures are enlarged to about so many pixels, without blur.
SEEN_WIDTH = 480


def show_drawing(content: ReportContent, lang: Lang) -> Markup | None:
    """Return how the judge was made, the growing grid, its curves, samples, and the nearest training pictures."""
    drawing = content.drawing
    if drawing is None:
        return None
    say = speak(lang)
    judge = "drawing_judge_groups" if drawing.by_groups else "drawing_judge"
    return join(
        [
            element("p", say(judge, accuracy=write_share(drawing.judge_accuracy), count=f"{drawing.drawn:,}")),
            *(element("p", translate(note, lang), attributes={"class": "wrong"}) for note in drawing.notes),
            element("h3", say("drawing_growing")),
            element("p", say("drawing_growing_words")),
            block("growing", *(_show_look(look, drawing, say) for look in choose_looks(drawing))),
            _draw_curves(drawing, say),
            element("h3", say("drawing_samples")),
            element("p", _list_labels(drawing, say)),
            show_pictures(drawing.samples, alt=say("drawing_samples")),
            element("h3", say("drawing_nearest")),
            element("p", say("drawing_nearest_words", count=min(MOST_PAIRS, len(drawing.ratios)))),
            _show_pairs(drawing, say),
        ]
    )


def choose_looks(drawing: Drawing) -> list[LookedAt]:
    """Return a few looks spread over the training, the first, the last and the one that was kept among them."""
    count = len(drawing.looks)
    places = {round(place) for place in np.linspace(0, count - 1, min(count, MOST_LOOKS))}
    return [drawing.looks[place] for place in sorted({*places, drawing.best})]


def show_pictures(pixels: np.ndarray, *, alt: str, columns: int = COLUMNS) -> Markup:
    """Return pictures `[n, height, width, colours]` as one grid, a PNG inside the page."""
    grid = as_grid(pixels, columns)
    return element("img", attributes={
        "src": encode_png(grid), "alt": alt, "class": "grid", "width": max(grid.shape[1], SEEN_WIDTH),
    })  # fmt: skip


def encode_png(pixels: np.ndarray) -> str:
    """Return uint8 pixels `[height, width, colours]` as a data URL."""
    kept = io.BytesIO()
    as_image(pixels).save(kept, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(kept.getvalue()).decode('ascii')}"


def _show_look(look: LookedAt, drawing: Drawing, say: Say) -> Markup:
    kept = say("drawing_kept") if look is drawing.looks[drawing.best] else ""
    words = say("drawing_look", done=write_share(look.done), pictures=f"{look.pictures:,}",
                distance=write_number(look.distance), variety=write_share(look.variety), kept=kept)  # fmt: skip
    grid = as_grid(look.shown, COLUMNS)
    picture = element("img", attributes={"src": encode_png(grid), "alt": words, "class": "grid"})
    return element("figure", picture, element("figcaption", words), attributes={"class": "look"})


def _draw_curves(drawing: Drawing, say: Say) -> Markup:
    distances = [look.distance for look in drawing.looks]
    varieties = [look.variety for look in drawing.looks]
    return join(
        figure(
            lambda width, name=name, values=values, log=log: draw_curves(  # type: ignore[misc]
                [(name, "first", values)], width, x_name=say("drawing_look_axis"), log=log
            ),
            title=name,
            description=", ".join(write_number(value) for value in values),
            caption=say(words),
        )
        for name, values, words, log in (
            (say("drawing_distance"), distances, "drawing_distance_words", True),
            (say("drawing_variety"), varieties, "drawing_variety_words", False),
        )
    )


def _list_labels(drawing: Drawing, say: Say) -> str:
    if not drawing.sample_labels:
        return say("drawing_samples_words")
    return say("drawing_samples_labels", labels=say("comma").join(dict.fromkeys(drawing.sample_labels)))


def _show_pairs(drawing: Drawing, say: Say) -> Markup:
    """Return the samples that are nearest to a training picture, each beside that."""
    order = np.argsort(drawing.ratios, kind="stable")[:MOST_PAIRS]
    return block(
        "pairs",
        *(
            span(
                "pair",
                *(
                    element("img", attributes={"src": encode_png(pixels[place]), "alt": say(words), "title": say(words),
                                               "class": "thumbnail"})
                    for pixels, words in ((drawing.samples, "drawing_drawn"), (drawing.nearest, "drawing_learnt"))
                ),
                span("cell-name", write_number(drawing.ratios[place])),
            )
            for place in order
        ),
    )  # fmt: skip
