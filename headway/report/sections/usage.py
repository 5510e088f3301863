"""How to use the package, with a real row of the data."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from headway.report.content import PackageFacts
from headway.report.figures import write_megabytes, write_milliseconds
from headway.report.markup import Markup, block, element, join, table
from headway.report.translation import Lang
from headway.report.words import Say, speak


def show_usage(package: PackageFacts, lang: Lang) -> Markup:
    """Return where the package is, what it needs, and the lines that use it."""
    say = speak(lang)
    answer = [element("h3", say("as_answer")), _code(write_json(package.answer), say)] if package.answer else []
    return join(
        [
            element("p", say("usage_words", path=package.path)),
            element("h3", say("in_python")),
            _code(write_python(package), say),
            *answer,
            element("h3", say("in_terminal")),
            _code(write_command(package), say),
            element("h3", say("measured")),
            table((), _list_measures(package, say), numbers=(1,)),
        ]
    )


def write_python(package: PackageFacts) -> str:
    """Return the lines of Python that answer the example row, or continue the example prompt."""
    if package.writes:
        prompt = _literal(package.example.get("prompt", ""))
        lines = ["from headway import runtime", "", f"writer = runtime.load_generator({package.path!r})"]
        return "\n".join([*lines, f"writer.generate([{prompt}], max_tokens=100, temperature=0.8, seed=0)[0].text"])
    if package.draws:
        wish = "".join(f", {name}={_literal(value)}" for name, value in package.example.items())
        lines = ["from headway import runtime", "", f"painter = runtime.load_image_generator({package.path!r})"]
        return "\n".join([*lines, f"painter.generate(16{wish}, seed=1)  # uint8 [16, height, width, colours]"])
    row = ", ".join(f"{name!r}: {_literal(value)}" for name, value in package.example.items())
    return "\n".join(
        [
            "from headway import runtime",
            "",
            f"model = runtime.load({package.path!r})",
            f"answer = model.predict([{{{row}}}])[0]",
            "answer.prediction, answer.confidence, answer.probabilities",
        ]
    )


def write_command(package: PackageFacts) -> str:
    """Return the command that uses the package."""
    if package.draws:
        wish = "".join(f" --{name} {shlex.quote(str(value))}" for name, value in package.example.items())
        return f"headway generate {package.path} --count 16{wish} --seed 1 --out grid.png\nheadway serve {package.path}"
    if not package.writes:
        return f"headway predict {package.path} new.csv --out answers.csv"
    prompt = shlex.quote(str(package.example.get("prompt", "")).strip())
    return f"headway generate {package.path} --prompt {prompt}\nheadway serve {package.path}"


def write_json(answer: Mapping[str, object]) -> str:
    """Return an answer as the package gives it."""
    rounded = {key: round(value, 4) if isinstance(value, float) else value for key, value in answer.items()}
    return json.dumps(rounded, ensure_ascii=False, indent=2, default=str)


def _literal(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return repr(value[:200] if isinstance(value, str) else value)


def _list_measures(package: PackageFacts, say: Say) -> list[tuple[str, str]]:
    rate = "" if package.rows_per_second is None else f"{package.rows_per_second:,.0f}"
    of = "_token" if package.writes else "_picture" if package.draws else ""
    measures = [
        (say("measured_size"), write_megabytes(package.size_mb)),
        (say(f"measured{of}_p50"), write_milliseconds(package.latency_p50_ms)),
        (say(f"measured{of}_p95"), write_milliseconds(package.latency_p95_ms)),
        (say("measured_memory"), write_megabytes(package.memory_mb)),
        (say(f"measured{of}_rate"), rate),
    ]
    return [(name, value) for name, value in measures if value]


def _code(text: str, say: Say) -> Markup:
    attributes = {"class": "copy", "type": "button", "data-done": say("copied")}
    return block("code", element("pre", element("code", text)), element("button", say("copy"), attributes=attributes))
