"""HTML that cannot be broken by data: every plain string is escaped, only `Markup` is taken as it is."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

_VOID = frozenset({"br", "img", "input", "link", "meta", "wbr"})


class Markup(str):
    """A string that is HTML already."""

    __slots__ = ()


def element(name: str, *children: object, attributes: Mapping[str, object] | None = None) -> Markup:
    """Return `<name attributes>children</name>`; a child that is not `Markup` is escaped, None is left out."""
    written = "".join(
        f' {key}="{html.escape(str(value))}"' for key, value in (attributes or {}).items() if value is not None
    )
    return Markup(f"<{name}{written}>" if name in _VOID else f"<{name}{written}>{join(children)}</{name}>")


def block(kind: str, *children: object) -> Markup:
    """Return a `div` of the class `kind`."""
    return element("div", *children, attributes={"class": kind})


def span(kind: str, *children: object) -> Markup:
    """Return a `span` of the class `kind`."""
    return element("span", *children, attributes={"class": kind})


def join(parts: Iterable[object]) -> Markup:
    """Return all parts one after the other, escaped unless they are `Markup`; None is left out."""
    return Markup("".join(part if isinstance(part, Markup) else _escape(part) for part in parts if part is not None))


def table(
    head: Iterable[object], rows: Iterable[Iterable[object]], *, numbers: Iterable[int] = (), kind: str = ""
) -> Markup:
    """Return a table in a box that scrolls sideways; columns in `numbers` are aligned right and sort as numbers."""
    names, right = list(head), frozenset(numbers)

    def cells(tag: str, row: Iterable[object]) -> Markup:
        # On a phone each cell of a loose table stands on its own line, after the name of its column.
        return join(
            element(
                tag,
                cell if isinstance(cell, Markup) else _break_at_underscores(cell),
                attributes={
                    "class": "number" if i in right else None,
                    "data-name": names[i] if tag == "td" and kind == "loose" else None,
                },
            )
            for i, cell in enumerate(row)
        )

    body = join(element("tr", cells("td", row)) for row in rows)
    titles = cells("th", names)
    filled = join([element("thead", element("tr", titles)) if titles else None, element("tbody", body)])
    return block("scroll", element("table", filled, attributes={"class": kind or None}))


def folded_table(
    head: Sequence[object],
    rows: Sequence[Iterable[object]],
    *,
    first: int,
    more: str,
    numbers: Iterable[int] = (),
    kind: str = "",
) -> Markup:
    """Return a table of the `first` rows, and the others in a fold whose title is `more`."""
    right = tuple(numbers)
    shown = table(head, rows[:first], numbers=right, kind=kind)
    if len(rows) <= first:
        return shown
    rest = table(head, rows[first:], numbers=right, kind=kind)
    return join([shown, element("details", element("summary", more), rest)])


def _break_at_underscores(cell: object) -> Markup:
    """Return a cell that may be broken after an underscore, as long names of labels and columns need."""
    return Markup("" if cell is None else _escape(cell).replace("_", "_<wbr>"))


def _escape(part: object) -> str:
    # A lone surrogate, which a broken file may hold, cannot be written as UTF-8.
    return html.escape(str(part)).encode("utf-8", "replace").decode("utf-8")
