"""A chat template taken apart: what stands before and after the words of each role.

Packages run no code, so the template (a program in Jinja) stays outside: what it makes of conversations is written down
as plain texts, proven on further conversations, and left out where it cannot be said so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from headway.bases.sentence import read_json
from headway.errors import MissingExtraError
from headway.runtime.generation.prompts import pieces_of
from headway.runtime.generation.wishes import Message, Role
from headway.runtime.manifest import Chat, Turn


class Render(Protocol):
    """Makes one text of messages; raises ValueError where the template fails."""

    def __call__(self, messages: Sequence[Message], *, asks: bool = False) -> str:
        """Return the text; with `asks`, it ends where the assistant begins."""


_S, _X, _Y, _Z = "§system§", "§first§", "§reply§", "§second§"


def read_chat(folder: Path) -> Chat | None:
    """Return how the model in a folder writes conversations; None where it has no template, or an involved one."""
    settings = read_json(folder / "tokenizer_config.json")
    file = folder / "chat_template.jinja"
    template = file.read_text(encoding="utf-8") if file.is_file() else settings.get("chat_template")
    if not isinstance(template, str):
        return None
    named = {role: _content(settings.get(role)) for role in ("bos_token", "eos_token", "unk_token", "pad_token")}
    return take_apart(template, {role: token for role, token in named.items() if token is not None})


def take_apart(template: str, tokens: Mapping[str, str]) -> Chat | None:
    """Return what a Jinja template does as plain texts; None where it does more than can be said so."""
    render = _renderer(template, tokens)
    try:
        chat = _guess(render)
    except (ValueError, TypeError, LookupError):
        return None
    return next((each for each in (chat, replace(chat, trims=True)) if _is_proven(each, render)), None)


def _renderer(template: str, tokens: Mapping[str, str]) -> Render:
    """Return what makes texts with a template, in a sandbox."""
    try:
        from jinja2 import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError as error:
        raise MissingExtraError("deep", purpose="reading a chat template") from error

    def refuse(words: str) -> None:
        raise TemplateError(words)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse

    def render(messages: Sequence[Message], *, asks: bool = False) -> str:
        plain: list[dict[str, Any]] = [{"role": each.role, "content": each.content} for each in messages]
        try:
            made = environment.from_string(template)
            return str(made.render(messages=plain, add_generation_prompt=asks, **tokens))
        except Exception as error:  # a template is a stranger's program and fails in its own way
            raise ValueError(str(error)) from error

    return render


def _guess(render: Render) -> Chat:
    """Return the parts by their places around words that stand in no template; raises ValueError."""
    user, reply = Message("user", _X), Message("assistant", _Y)
    start_and_before, after_user = _around(render([user]), _X)
    answer = _after(render([user], asks=True), start_and_before + _X + after_user)
    _, rest = _around(render([user, reply, Message("user", _Z)]), _X)
    between, rest = _around(rest, _Y)
    reply_to_user, _ = _around(rest, _Z)
    before_reply = _after(between, after_user)
    _, after_reply = _around(render([user, reply]), _Y)
    before_user = _after(reply_to_user, after_reply)
    if not start_and_before.endswith(before_user):
        raise ValueError("the first user's turn begins in another way")
    start = start_and_before[: len(start_and_before) - len(before_user)]
    roles = {"user": Turn(before_user, after_user), "assistant": Turn(before_reply, after_reply)}
    return Chat(start, _with_system(render, roles, user), answer)


def _with_system(render: Render, roles: Mapping[str, Turn], user: Message) -> Mapping[str, Turn]:
    """Return the roles with that of the system, where the template knows one."""
    try:
        before, rest = _around(render([Message("system", _S), user]), _S)
        between, _ = _around(rest, _X)
    except ValueError:
        return roles
    own = roles["user"].before
    if not between.endswith(own):
        return roles
    return {"system": Turn(before, between[: len(between) - len(own)]), **roles}


def _is_proven(chat: Chat, render: Render) -> bool:
    """Tell whether the parts make the template's text of conversations that they were not taken from."""
    words = ("Hello.", " 你好！\n\n- a\n- b ", "{{ x }} <b>", "\n", "a" * 300)

    def conversation(roles: Sequence[Role]) -> list[Message]:
        return [Message(role, words[place % len(words)]) for place, role in enumerate(roles)]

    long: list[Role] = ["user", "assistant", "user", "assistant", "user", "assistant", "user"]
    tried: list[list[Role]] = [["user"], ["user", "assistant", "user"], long]
    if "system" in chat.roles:
        tried += [["system", "user"], ["system", "user", "assistant", "user"]]
    try:
        return all(
            "".join(text for text, _ in pieces_of(messages, chat)) == render(messages, asks=True)
            for messages in map(conversation, tried)
        )
    except ValueError:
        return False


def _around(text: str, word: str) -> tuple[str, str]:
    """Return what stands before and after a word that must stand there once."""
    before, found, after = text.partition(word)
    if not found or word in after:
        raise ValueError(f"{word} stands {text.count(word)} times")
    return before, after


def _after(text: str, start: str) -> str:
    if not text.startswith(start):
        raise ValueError("the parts do not join")
    return text[len(start) :]


def _content(token: Any) -> str | None:
    word = token.get("content") if isinstance(token, dict) else token
    return word if isinstance(word, str) else None
