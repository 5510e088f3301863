"""The part of the page for a package that writes text: try it, and how a program asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from headway.report.markup import Markup, block, element, join
from headway.report.translation import Lang
from headway.serving.page.language import say

if TYPE_CHECKING:
    from headway.serving.writing.deployment import TextDeployment

_TOKENS = 256


def show_writing(deployment: TextDeployment, lang: Lang) -> Markup:
    """Return the form; the script sends it and shows the text while it comes."""
    facts = deployment.manifest.generation
    assert facts is not None
    shared = {"id": "prompt", "rows": 4, "maxlength": 100_000, "required": ""}
    form = element(
        "form",
        block("field", element("label", say("prompt", lang), attributes={"for": "prompt"}),
              element("textarea", say("prompt_example", lang), attributes=shared)),
        element("button", say("write", lang), attributes={"type": "submit"}),
        attributes={"id": "write", "data-model": deployment.name, "data-tokens": min(_TOKENS, facts.window),
                    "data-chats": "yes" if facts.chat is not None else None},
    )  # fmt: skip
    written = element("pre", attributes={"id": "written", "role": "status", "aria-live": "polite"})
    return join([form, written])


def write_usage(deployment: TextDeployment, url: str) -> tuple[str, str]:
    """Return how a shell and Python ask."""
    facts = deployment.manifest.generation
    assert facts is not None
    name = deployment.name
    if facts.chat is None:
        path, call, asked = "completions", "completions.create", {"prompt": "Once"}
        wanted = 'prompt="Once"'
    else:
        path, call = "chat/completions", "chat.completions.create"
        asked = {"messages": [{"role": "user", "content": "Hello"}]}  # type: ignore[dict-item]
        wanted = 'messages=[{"role": "user", "content": "Hello"}]'
    body = json.dumps({"model": name, **asked, "stream": True})
    shell = f"curl {url}/v1/{path} \\\n  -H 'content-type: application/json' \\\n  -d '{body}'"
    python = (
        f'import openai\n\nclient = openai.OpenAI(base_url="{url}/v1", api_key="none")\n'
        f"client.{call}(model={name!r}, {wanted})"
    )
    return shell, python
