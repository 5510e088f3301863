"""What OpenAI's clients send for pictures, read and checked: every field is honoured or refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headway.errors import InputError
from headway.runtime.image_generation import ImageGenerator
from headway.serving.writing.asked import bad, unknown

MOST = 64
_FIELDS = ("prompt", "model", "n", "size", "response_format", "seed")
# They change no picture here.
_IGNORED = frozenset({"user", "moderation"})
# Fields that are honoured only where they ask for what is done anyway.
_NOTHING: Mapping[str, tuple[Any, ...]] = {
    "quality": ("auto", "standard"), "background": ("auto", "opaque"), "output_format": ("png",), "stream": (False,),
    "output_compression": (100,), "partial_images": (0,), "style": (),
}  # fmt: skip


@dataclass(frozen=True)
class AskedPictures:
    """One request: how many pictures, of which label (empty for any), from which seed, and in which size."""

    prompt: str
    count: int
    seed: int | None
    size: str | None
    model: str | None


def read_pictures(document: object) -> AskedPictures:
    """Return what a request for pictures asks; raises `RefusalError` (400)."""
    if not isinstance(document, dict):
        raise bad("body", "a JSON object", document)
    given = {name: value for name, value in document.items() if value is not None and name not in _IGNORED}
    for name, value in given.items():
        if name in _FIELDS:
            continue
        if name not in _NOTHING:
            raise unknown(name, _FIELDS)
        if value not in _NOTHING[name]:
            raise bad(name, "nothing: this service does not have it", value, next_step=f"leave {name} out")
    if given.get("response_format", "b64_json") != "b64_json":
        raise bad("response_format", "b64_json: this service keeps no pictures", given["response_format"])
    for name in ("prompt", "size", "model"):
        if not isinstance(given.get(name, ""), str):
            raise bad(name, "text", given[name])
    return AskedPictures(
        given.get("prompt", "").strip(), _whole(given, "n", 1, 1, MOST) or 1, _whole(given, "seed", None, 0, 2**62 - 1),
        given.get("size"), given.get("model"),
    )  # fmt: skip


def check_size(asked: AskedPictures, generator: ImageGenerator) -> None:
    """Raise `RefusalError` (400) for another size than the package draws."""
    own = f"{generator.facts.width}x{generator.facts.height}"
    if asked.size not in {None, "auto", own}:
        raise bad("size", f"{own} or auto: the package draws in one size", asked.size, next_step="leave size out")


def place_of(asked: AskedPictures, generator: ImageGenerator) -> str | None:
    """Return the label that is asked for, None for any; raises `RefusalError` (400) for one that there is not."""
    if not asked.prompt:
        return None
    try:
        generator.place_of(asked.prompt)
    except InputError as error:
        problem = error.problems[0]
        step = problem.fix or "leave prompt empty for any"
        raise bad("prompt", f"{problem.expected}, or nothing", asked.prompt, next_step=step) from error
    return asked.prompt


def _whole(given: Mapping[str, Any], name: str, default: int | None, least: int, most: int) -> int | None:
    value = given.get(name, default)
    if value is not default and (type(value) is not int or not least <= value <= most):
        raise bad(name, f"a whole number from {least} to {most}", value)
    return value
