"""The part of the page for a package that draws pictures: a grid of them, and how a program asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from headway.report.markup import Markup, block, element, join
from headway.report.translation import Lang
from headway.serving.page.language import say

if TYPE_CHECKING:
    from headway.serving.drawing.deployment import ImageDeployment

# Pictures of one grid; a picture is shown about so wide, small ones enlarged.
_COUNT, _WIDE = 16, 96


def show_drawing(deployment: ImageDeployment, lang: Lang) -> Markup:
    """Return the form and an empty grid; the script fills it."""
    manifest = deployment.generator.manifest
    options = [element("option", say("any_label", lang), attributes={"value": ""})]
    options += [element("option", str(label), attributes={"value": str(label)}) for label in manifest.labels]
    label = block("field", element("label", say("label", lang), attributes={"for": "wanted"}),
                  element("select", *options, attributes={"id": "wanted"}))  # fmt: skip
    line = {"id": "seed", "inputmode": "numeric", "pattern": "[0-9]*", "placeholder": say("any_seed", lang)}
    seed = block("field", element("label", say("seed", lang), attributes={"for": "seed"}),
                 element("input", attributes={**line, "autocomplete": "off"}))  # fmt: skip
    form = element(
        "form",
        label if manifest.labels else None,
        seed,
        element("button", say("draw", lang), attributes={"type": "submit"}),
        attributes={"id": "draw", "data-model": deployment.name, "data-count": _COUNT},
    )
    width = max(deployment.generator.facts.width, _WIDE)
    grid = element("div", attributes={"id": "drawn", "class": "drawn", "role": "status", "aria-live": "polite",
                                      "data-width": width, "data-alt": say("drawn", lang)})  # fmt: skip
    return join([form, grid])


def write_usage(deployment: ImageDeployment, url: str) -> tuple[str, str]:
    """Return how a shell and Python ask."""
    labels = deployment.generator.manifest.labels
    prompt = str(labels[0]) if labels else ""
    body = json.dumps({"model": deployment.name, "prompt": prompt, "n": 4, "seed": 1}, ensure_ascii=False)
    quoted = body.replace("'", "'\\''")
    shell = f"curl {url}/v1/images/generations \\\n  -H 'content-type: application/json' \\\n  -d '{quoted}'"
    python = (
        f'import openai\n\nclient = openai.OpenAI(base_url="{url}/v1", api_key="none")\n'
        f"client.images.generate(model={deployment.name!r}, prompt={prompt!r}, n=4, response_format='b64_json')"
    )
    return shell, python
