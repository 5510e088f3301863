"""`POST /v1/chat/completions` and `/v1/completions`: text, whole or while it is written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headway.errors import InputError
from headway.runtime.generation.wishes import Piece
from headway.serving.batching import Wait
from headway.serving.http import Request, dump, parse
from headway.serving.observing import Routed
from headway.serving.refusals import RefusalError, failed
from headway.serving.writing.asked import AskedText, as_refusal, read_chat, read_completion
from headway.serving.writing.author import Order
from headway.serving.writing.deployment import TextDeployment
from headway.serving.writing.forms import Form, Kind, usage

if TYPE_CHECKING:
    from headway.serving.service import Service
    from headway.serving.writing.grammar import JsonGrammar

_EVENTS = b"text/event-stream; charset=utf-8"


async def chat(service: Service, request: Request) -> None:
    """Answer a conversation."""
    await _complete(service, request, "chat", read_chat)


async def completion(service: Service, request: Request) -> None:
    """Continue a text."""
    await _complete(service, request, "text", read_completion)


@dataclass(frozen=True)
class _Work:
    """The answers that one request waits for, and how many tokens their prompts have together."""

    orders: Sequence[Order]
    prompt_tokens: int


async def _complete(service: Service, request: Request, kind: Kind, read: Callable[[object], AskedText]) -> None:
    service.check_open()
    asked = read(parse(await request.body(service.limits)))
    deployment = service.writer(asked.model)
    request.routed = Routed(deployment.name, deployment.version)
    grammar = None if asked.schema is None else await asyncio.to_thread(_grammar, deployment, asked.schema)
    work = _order(service, request, deployment, asked, kind, grammar=grammar)
    form = Form(kind, f"{'chatcmpl' if kind == 'chat' else 'cmpl'}-{request.id}", deployment.name, deployment.version)
    if asked.streams:
        tokens = await _stream(request, form, work, counts=asked.counts)
    else:
        tokens = await _answer(request, form, work)
    service.wrote(deployment, time.monotonic() - request.began, tokens)


def _order(
    service: Service,
    request: Request,
    deployment: TextDeployment,
    asked: AskedText,
    kind: Kind,
    *,
    grammar: JsonGrammar | None,
) -> _Work:
    """Order all answers of a request; raises `RefusalError`: 400 for what cannot be written, 429 for a full queue."""
    wait = Wait(service.limits.timeout, request.is_gone)
    orders: list[Order] = []
    total = 0
    try:
        for ids in [_ids(deployment, prompt) for prompt in asked.prompts]:
            total += len(ids)
            room = deployment.engine.window - len(ids)
            for _ in range(asked.answers):
                wish = asked.wish_of(len(orders), room, None if grammar is None else grammar.anew())
                orders.append(deployment.author.order(ids, wish, wait))
    except (InputError, RefusalError) as error:
        for order in orders:
            order.drop()
        if isinstance(error, RefusalError):
            raise
        raise as_refusal(error, "messages" if kind == "chat" else "prompt") from error
    return _Work(orders, total)


def _ids(deployment: TextDeployment, prompt: Any) -> list[int]:
    """Return the token ids of a prompt; ids that a client sends must be among those of the model."""
    if not (isinstance(prompt, list) and isinstance(prompt[0], int)):
        return deployment.engine.prompts.ids_of(prompt)
    most = deployment.engine.vocabulary
    if not all(0 <= token < most for token in prompt):
        raise InputError("a token id is not one of this model", where="prompt", expected=f"0 to {most - 1}")
    return prompt


def _grammar(deployment: TextDeployment, schema: Mapping[str, Any]) -> JsonGrammar:
    """Return the grammar of answers, which may take seconds; raises `RefusalError` (400) for what cannot be held to."""
    from headway.serving.writing.grammar import JsonGrammar

    facts = deployment.manifest.generation
    assert facts is not None
    tokenizer = deployment.engine.prompts.tokenizer.to_str()
    return JsonGrammar(tokenizer, deployment.engine.vocabulary, facts.end_ids, schema)


async def _answer(request: Request, form: Form, work: _Work) -> int:
    """Send all answers as a whole; return how many tokens they have."""
    tasks = [asyncio.ensure_future(_collect(order)) for order in work.orders]
    try:
        found = await asyncio.gather(*tasks)
    finally:  # where one fails, nobody waits for the others
        for task in tasks:
            task.cancel()
    tokens = sum(pieces[-1].tokens for pieces in found)
    choices = [form.choice(index, pieces) for index, pieces in enumerate(found)]
    await request.answer_json(200, form.whole(choices, work.prompt_tokens, tokens))
    return tokens


async def _collect(order: Order) -> list[Piece]:
    return [piece async for piece in order.pieces()]


async def _stream(request: Request, form: Form, work: _Work, *, counts: bool) -> int:
    """Send the answers while they are written, as server-sent events; return how many tokens they have.

    What goes wrong on the way is an event too, as OpenAI's clients read it, before the answer breaks off.
    """
    try:
        return await _send_pieces(request, form, work, counts=counts)
    except Exception as error:
        if request.started:
            refusal = error if isinstance(error, RefusalError) else failed(error)
            await request.send_piece(_event({"error": refusal.as_json(request.language)}))
        raise


async def _send_pieces(request: Request, form: Form, work: _Work, *, counts: bool) -> int:
    tokens, opened = [0] * len(work.orders), set()
    async for index, piece in _merge(work.orders):
        tokens[index] = piece.tokens
        if not request.started:
            await request.start_lines(_EVENTS)
        if form.kind == "chat" and index not in opened:
            opened.add(index)
            await request.send_piece(_event(form.part([form.opening(index)])))
        if piece.text or piece.finish or piece.chances:
            await request.send_piece(_event(form.part([form.delta(index, piece)])))
    if counts:
        await request.send_piece(_event(form.part([], usage=usage(work.prompt_tokens, sum(tokens)))))
    await request.send_piece(b"data: [DONE]\n\n", last=True)
    return sum(tokens)


async def _merge(orders: Sequence[Order]) -> AsyncIterator[tuple[int, Piece]]:
    """Yield the pieces of several answers as they come, each with its number."""
    if len(orders) == 1:
        async for piece in orders[0].pieces():
            yield 0, piece
        return
    heard: asyncio.Queue[tuple[int, Piece | BaseException]] = asyncio.Queue()

    async def hear(index: int) -> None:
        try:
            async for piece in orders[index].pieces():
                heard.put_nowait((index, piece))
        except BaseException as error:  # noqa: BLE001 - it is raised again where the pieces are read
            heard.put_nowait((index, error))

    tasks = [asyncio.ensure_future(hear(index)) for index in range(len(orders))]
    try:
        left = len(orders)
        while left:
            index, words = await heard.get()
            if isinstance(words, BaseException):
                raise words
            left -= words.finish is not None
            yield index, words
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _event(document: Any) -> bytes:
    return b"data: " + dump(document) + b"\n\n"
