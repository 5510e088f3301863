"""Tests of texts that are written together for requests that come and go."""

import asyncio
import time

import numpy as np
import pytest

from headway.errors import InputError
from headway.runtime.generation.engine import Engine
from headway.runtime.generation.wishes import Wish
from headway.serving.batching import Wait
from headway.serving.refusals import RefusalError
from headway.serving.writing.author import Author
from tests.runtime.generation.packages import CONFIG, open_tiny

FOREVER = Wait(60.0, lambda: False)


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return open_tiny(tmp_path_factory.mktemp("author") / "package", slots=2, end_ids=())


@pytest.fixture
def author(generator):
    found = Author(Engine(generator.decoder, generator.prompts), queue=3)
    yield found
    found.retire()
    found._thread.join(timeout=30)
    assert not found._thread.is_alive()


async def collect(order):
    return [piece async for piece in order.pieces()]


def test_orders_share_the_batch_and_get_what_they_would_alone(author, generator):
    wishes = [Wish(max_tokens=5 + place, seed=place) for place in range(4)]

    async def together():
        orders = [author.order(generator.ids_of("ab"), wish, FOREVER) for wish in wishes[:3]]
        found = await asyncio.gather(*map(collect, orders))
        return [*found, await collect(author.order(generator.ids_of("ab"), wishes[3], FOREVER))]

    found = asyncio.run(together())
    for place, pieces in enumerate(found):
        assert pieces[-1].finish == "length"
        alone = generator.generate(["ab"], max_tokens=5 + place, seed=place)[0]
        assert "".join(piece.text for piece in pieces) == alone.text


def test_a_full_queue_and_a_late_turn_are_refused(author, generator, monkeypatch):
    step = generator.decoder.step
    # Slow enough that the first two are under way until they are dropped.
    monkeypatch.setattr(generator.decoder, "step", lambda *given: time.sleep(0.05) or step(*given))

    async def crowd():
        long = [author.order(generator.ids_of("ab"), Wish(max_tokens=110), FOREVER) for _ in range(2)]
        pieces = [order.pieces() for order in long]
        for each in pieces:
            await anext(each)
        late = author.order(generator.ids_of("ab"), Wish(), Wait(0.0, lambda: False))
        with pytest.raises(RefusalError) as caught:
            await collect(late)
        assert caught.value.status == 504
        waiting = [author.order(generator.ids_of("ab"), Wish(), FOREVER) for _ in range(3)]
        with pytest.raises(RefusalError) as caught:
            author.order(generator.ids_of("ab"), Wish(), FOREVER)
        assert caught.value.status == 429
        for order in [*waiting, *long]:
            order.drop()
        for each in pieces:
            await each.aclose()

    asyncio.run(crowd())


def test_an_answer_nobody_waits_for_leaves_the_batch(author, generator, monkeypatch):
    step = generator.decoder.step
    monkeypatch.setattr(generator.decoder, "step", lambda *given: time.sleep(0.02) or step(*given))

    async def hang_up():
        gone = []
        order = author.order(generator.ids_of("ab"), Wish(max_tokens=110), Wait(60.0, lambda: bool(gone)))
        pieces = order.pieces()
        await anext(pieces)
        gone.append(True)
        with pytest.raises(asyncio.CancelledError):
            await anext(pieces)
        return order.answer

    answer = asyncio.run(hang_up())
    deadline = time.monotonic() + 30
    while not author._engine.is_idle and time.monotonic() < deadline:
        time.sleep(0.01)
    assert author._engine.is_idle
    assert answer.finish == "cancelled"
    assert len(answer.ids) < 110


def test_a_prompt_longer_than_the_window_never_waits(author, generator):
    async def ask():
        with pytest.raises(InputError, match="window of 120"):
            author.order([1] * 120, Wish(), FOREVER)

    asyncio.run(ask())


def test_an_error_reaches_those_who_wait_and_the_next_are_answered(author, generator, monkeypatch):
    async def ask():
        def fail(*_arguments, **_options):
            raise RuntimeError("no memory")

        monkeypatch.setattr(author._engine.decoder, "read", fail, raising=False)
        with pytest.raises(RuntimeError, match="no memory"):
            await collect(author.order(generator.ids_of("ab"), Wish(), FOREVER))
        monkeypatch.undo()
        assert (await collect(author.order(generator.ids_of("ab"), Wish(max_tokens=2), FOREVER)))[-1].tokens == 2

    asyncio.run(ask())


class Broken:
    """A grammar that gives up after two tokens."""

    def __init__(self):
        self.taken = 0

    def allowed(self):
        return np.ones(CONFIG.vocabulary, bool)

    def take(self, _token):
        self.taken += 1
        if self.taken == 2:
            raise InputError("this is too much")

    is_over = False


def test_an_answer_whose_grammar_gives_up_fails_alone(author, generator):
    async def ask():
        orders = [author.order(generator.ids_of("ab"), wish, FOREVER)
                  for wish in (Wish(max_tokens=9, grammar=Broken()), Wish(max_tokens=9, seed=1))]  # fmt: skip
        return await asyncio.gather(*map(collect, orders), return_exceptions=True)

    broken, whole = asyncio.run(ask())
    assert isinstance(broken, InputError)
    assert "".join(piece.text for piece in whole) == generator.generate(["ab"], max_tokens=9, seed=1)[0].text
    with pytest.raises(InputError, match="too much"):
        list(generator.stream("ab", Wish(grammar=Broken())))
