"""A form made from what a package reads."""

from __future__ import annotations

from headway.report.markup import Markup, block, element, join
from headway.report.translation import Lang
from headway.runtime.manifest import InputColumn
from headway.serving.deployments import Deployment
from headway.serving.page.language import say

# From this many categories on, typing with suggestions is easier than a list.
_LONG_LIST = 40


def show_form(deployment: Deployment, lang: Lang) -> Markup:
    """Return the form to ask `deployment`, filled with the example of its package."""
    known = {column.name: column for column in deployment.model.manifest.inputs}
    fields = [
        _field(known.get(name) or InputColumn(name, "text"), f"field-{number}", lang)
        for number, name in enumerate(deployment.reader.columns)
    ]
    button = element("button", say("ask", lang), attributes={"type": "submit", "id": "ask"})
    return element("form", *fields, button, attributes={"id": "form", "data-model": deployment.name, "novalidate": ""})


def _field(column: InputColumn, identity: str, lang: Lang) -> Markup:
    """Return the label and the control of one column."""
    shared = {"id": identity, "name": column.name, "data-modality": column.modality}
    example = "" if column.example is None else str(column.example)
    label = element("label", column.name, attributes={"for": identity})
    if column.modality == "image":
        control = join([
            element("input", attributes={**shared, "type": "file", "accept": "image/*"}),
            element("img", attributes={"class": "preview", "alt": "", "hidden": ""}),
        ])  # fmt: skip
    elif column.modality == "text":
        control = element("textarea", example, attributes={**shared, "rows": 4, "maxlength": 100_000})
    elif column.modality == "category" and column.categories and len(column.categories) < _LONG_LIST:
        options = [element("option", "", attributes={"value": ""})]
        options += [element("option", each, attributes={"value": each, "selected": "" if each == example else None})
                    for each in column.categories]  # fmt: skip
        control = element("select", *options, attributes=shared)
    else:
        control = _input(column, shared, example, lang)
    return block("field", label, control)


def _input(column: InputColumn, shared: dict[str, str], example: str, lang: Lang) -> Markup:
    """Return a line to type into, with suggestions where values are known."""
    mode = "decimal" if column.modality == "number" else None
    hint = "2026-01-31" if column.modality == "date" else say("empty", lang)
    suggestions = f"{shared['id']}-values" if column.categories else None
    line = element("input", attributes={
        **shared, "type": "text", "value": example, "inputmode": mode, "placeholder": hint, "list": suggestions,
        "autocomplete": "off",
    })  # fmt: skip
    if suggestions is None:
        return line
    options = [element("option", attributes={"value": each}) for each in column.categories[:1000]]
    return join([line, element("datalist", *options, attributes={"id": suggestions})])
