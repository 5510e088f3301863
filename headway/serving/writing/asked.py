"""What OpenAI's clients send, read and checked: every field is honoured or refused by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from headway.errors import InputError
from headway.runtime.feeds.cells import shown
from headway.runtime.generation.wishes import MOST_CHANCES, Grammar, Message, Role, Wish
from headway.serving.refusals import RefusalError

_COMMON = ("model", "max_tokens", "temperature", "top_p", "n", "stream", "stream_options", "stop", "seed")
# Said for the one who offers the service to others, or for caches of another service: they change no answer here.
_IGNORED = frozenset({"user", "store", "metadata", "service_tier", "safety_identifier", "prompt_cache_key"})
# Fields that are honoured only where they ask for nothing.
_NOTHING: Mapping[str, tuple[Any, ...]] = {
    "presence_penalty": (0,), "frequency_penalty": (0,), "logit_bias": ({},), "tools": ([],), "tool_choice": ("none",),
    "functions": ([],), "function_call": ("none",), "echo": (False,), "best_of": (1,), "suffix": ("",),
    "modalities": (["text"],), "parallel_tool_calls": (True, False), "reasoning_effort": ("none",), "verbosity": (),
    "audio": (), "prediction": (), "web_search_options": (),
}  # fmt: skip
# The same of a message: an answer that a client sends back has them, empty.
_NOTHING_SAID: Mapping[str, tuple[Any, ...]] = {
    "name": (), "tool_calls": ([],), "tool_call_id": (), "function_call": (), "refusal": (), "annotations": ([],),
    "audio": (),
}  # fmt: skip
_NOTHING_STREAMED: Mapping[str, tuple[Any, ...]] = {"include_obfuscation": (False,)}
_MOST_STOPS, _MOST_ANSWERS = 4, 16
_DEFAULT_TOKENS = 16  # of completions, as OpenAI has it


@dataclass(frozen=True)
class AskedText:
    """One request: a prompt or a conversation, how it shall be answered, and in how many ways.

    `prompts`: texts, token ids or messages. `most` None: as many tokens as the window has room for. `schema`: the JSON
    schema that answers keep, None for any text.
    """

    prompts: Sequence[str | list[int] | list[Message]]
    wish: Wish
    most: int | None = None
    answers: int = 1
    streams: bool = False
    counts: bool = False
    model: str | None = None
    schema: Mapping[str, Any] | None = None

    def wish_of(self, number: int, room: int, grammar: Grammar | None) -> Wish:
        """Return the wish of one of several answers, with as many tokens as there is `room` for."""
        seed = None if self.wish.seed is None else self.wish.seed + number
        return replace(self.wish, seed=seed, grammar=grammar, max_tokens=max(1, min(self.most or room, room)))


def read_chat(document: object) -> AskedText:
    """Return what a request for a chat completion asks; raises `RefusalError` (400)."""
    own = ("messages", "max_completion_tokens", "logprobs", "top_logprobs", "response_format")
    fields = _fields(document, (*_COMMON, *own))
    chances = None
    if _get(fields, "logprobs", bool, default=False):
        chances = _number(fields, "top_logprobs", 0, 0, MOST_CHANCES)
    elif fields.get("top_logprobs") is not None:
        raise bad("top_logprobs", "nothing, or logprobs true beside it", fields["top_logprobs"])
    most, older = _most(fields, "max_completion_tokens"), _most(fields, "max_tokens")
    if most is not None and older not in {None, most}:
        raise bad("max_tokens", "nothing beside max_completion_tokens", older, next_step="leave max_tokens out")
    return _asked(
        fields, [_messages(fields.get("messages"))], most or older, chances, _schema(fields.get("response_format"))
    )


def read_completion(document: object) -> AskedText:
    """Return what a request for a completion asks; raises `RefusalError` (400)."""
    fields = _fields(document, (*_COMMON, "prompt", "logprobs"))
    chances = None if fields.get("logprobs") is None else _number(fields, "logprobs", 0, 0, 5)
    most = _most(fields, "max_tokens") or _DEFAULT_TOKENS
    return _asked(fields, _prompts(fields.get("prompt")), most, chances, None)


def bad(param: str, expected: str, got: object, *, next_step: str = "") -> RefusalError:
    """Return the 400 for a field that does not fit."""
    words = f"{param}: expected {expected}, got {shown(got)}"
    return RefusalError(400, "invalid_request_error", words, next=next_step, more={"param": param, "code": None})


def unknown(name: str, names: Sequence[str], where: str = "") -> RefusalError:
    """Return the 400 for a field that is none of `names`, with the nearest."""
    place, near = f"{where}{name[:60]}", difflib.get_close_matches(name, names, n=1)
    words = f"{place}: unknown field, expected one of {', '.join(names)}"
    step = f"did you mean {near[0]}?" if near else ""
    return RefusalError(400, "invalid_request_error", words, next=step, more={"param": place, "code": None})


def as_refusal(error: InputError, param: str) -> RefusalError:
    """Return the 400 for what the runtime refuses."""
    problem = error.problems[0]
    words = "; ".join(filter(None, [problem.what, problem.expected and f"expected {problem.expected}",
                                    problem.got and f"got {problem.got}"]))  # fmt: skip
    code = "context_length_exceeded" if "window" in problem.what else None
    known = param if problem.where in {"", "prompt"} else problem.where
    return RefusalError(400, "invalid_request_error", words, next=problem.fix, more={"param": known, "code": code})


def _fields(document: object, names: Sequence[str]) -> dict[str, Any]:
    """Return the fields of a request that say something; raises for unknown ones, and for wishes not honoured here."""
    if not isinstance(document, dict):
        raise bad("body", "a JSON object", document)
    return _known({name: value for name, value in document.items() if name not in _IGNORED}, names, _NOTHING)


def _known(
    document: Mapping[str, Any], names: Sequence[str], nothing: Mapping[str, tuple[Any, ...]], where: str = ""
) -> dict[str, Any]:
    """Return what is said under known names; raises for others, and for what `nothing` does not let pass as empty."""
    given = {name: value for name, value in document.items() if value is not None}
    for name, value in given.items():
        if name in names:
            continue
        if name not in nothing:
            raise unknown(name, names, where)
        if value not in nothing[name]:
            raise bad(f"{where}{name}", "nothing: this service does not have it", value, next_step=f"leave {name} out")
    return {name: value for name, value in given.items() if name in names}


def _asked(
    fields: Mapping[str, Any],
    prompts: Sequence[Any],
    most: int | None,
    chances: int | None,
    schema: Mapping[str, Any] | None,
) -> AskedText:
    stop = fields.get("stop", ())
    stops = (stop,) if isinstance(stop, str) else stop
    if (
        not isinstance(stops, list | tuple)
        or len(stops) > _MOST_STOPS
        or not all(isinstance(s, str) and s for s in stops)
    ):
        raise bad("stop", f"a text that is not empty, or a list of at most {_MOST_STOPS} such", stop)
    seed = fields.get("seed")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
        raise bad("seed", "a whole number", seed)
    streams = _get(fields, "stream", bool, default=False)
    wish = Wish(
        temperature=_real(fields, "temperature", 0, 2), top_p=max(1e-9, _real(fields, "top_p", 0, 1)),
        seed=None if seed is None else seed & (2**62 - 1), stop=tuple(stops), chances=chances,
    )  # fmt: skip
    return AskedText(
        prompts, wish, most, _number(fields, "n", 1, 1, _MOST_ANSWERS), streams,
        _counts(fields, streams=streams), _get(fields, "model", str, default=None), schema,
    )  # fmt: skip


def _most(fields: Mapping[str, Any], name: str) -> int | None:
    """Return the most tokens of an answer, None where nothing is said of them."""
    most: object = fields.get(name)
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        raise bad(name, "a whole number above 0", most)
    return most


def _counts(fields: Mapping[str, Any], *, streams: bool) -> bool:
    """Tell whether a streamed answer shall end with the tokens it took."""
    given = _get(fields, "stream_options", dict, default={})
    options = _known(given, ("include_usage",), _NOTHING_STREAMED, "stream_options.")
    if options and not streams:
        raise bad("stream_options", "nothing, or stream true beside it", given)
    counts: bool = _get(options, "include_usage", bool, default=False, where="stream_options.")
    return counts


def _messages(given: object) -> list[Message]:
    """Return the messages of a conversation."""
    if not isinstance(given, list) or not given:
        raise bad("messages", "a list of one message or more", given)
    return [_message(message, f"messages[{number}]") for number, message in enumerate(given)]


def _message(given: object, where: str) -> Message:
    if not isinstance(given, dict):
        raise bad(where, 'an object such as {"role": "user", "content": "Hello"}', given)
    role = "system" if given.get("role") == "developer" else given.get("role")
    known: dict[object, Role] = {each: each for each in get_args(Role)}
    if not isinstance(role, str) or role not in known:
        raise bad(f"{where}.role", " or ".join(get_args(Role)), given.get("role"))
    content = _known(given, ("role", "content"), _NOTHING_SAID, f"{where}.").get("content")
    if isinstance(content, list):
        content = "".join(_part(part, f"{where}.content") for part in content)
    if not isinstance(content, str):
        raise bad(f"{where}.content", "text", content)
    return Message(known[role], content)


def _part(given: object, where: str) -> str:
    """Return the text of one part of what a message says."""
    if not isinstance(given, dict) or given.get("type") != "text" or not isinstance(given.get("text"), str):
        raise bad(where, "text, or parts of the type text", given)
    text: str = _known(given, ("type", "text"), {}, f"{where}.")["text"]
    return text


def _prompts(given: object) -> list[Any]:
    """Return the prompts of completions: texts, or token ids."""
    expected = "a text, a list of texts, or token ids"
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list) or not given or len(given) > _MOST_ANSWERS:
        raise bad("prompt", f"{expected}; at most {_MOST_ANSWERS} prompts", given)
    if all(isinstance(part, int) and not isinstance(part, bool) for part in given):
        return [given]
    if all(isinstance(part, str) for part in given):
        return given
    if all(isinstance(part, list) and part and all(type(each) is int for each in part) for part in given):
        return given
    raise bad("prompt", expected, given)


def _schema(given: object) -> Mapping[str, Any] | None:
    """Return the JSON schema that answers shall keep."""
    if given is None or given == {"type": "text"}:
        return None
    kind = given.get("type") if isinstance(given, dict) else None
    if kind == "json_object":
        return {"type": "object"}
    if kind == "json_schema" and isinstance(given, dict):
        inner = given.get("json_schema")
        schema = inner.get("schema") if isinstance(inner, dict) else None
        if isinstance(schema, dict):
            return schema
        raise bad("response_format.json_schema.schema", "a JSON schema", schema)
    raise bad("response_format", "the type text, json_object or json_schema", given)


def _get(fields: Mapping[str, Any], name: str, kind: type, *, default: Any, where: str = "") -> Any:
    value = fields.get(name, default)
    if value is not default and not isinstance(value, kind):
        raise bad(where + name, {bool: "true or false", str: "text", dict: "an object"}[kind], value)
    return value


def _number(fields: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = fields.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise bad(name, f"a whole number from {least} to {most}", value)
    return value


def _real(fields: Mapping[str, Any], name: str, least: float, most: float) -> float:
    value = fields.get(name, 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise bad(name, f"a number from {least:g} to {most:g}", value)
    return float(value)
