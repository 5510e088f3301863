"""Tests of texts written by vLLM's engine: what it answers is what onnxruntime's answers, where tokens are the same."""

import asyncio
import json
import re
from dataclasses import replace

import pytest
from tokenizers import Tokenizer

from headway.decoders.exporting import export_decoder
from headway.errors import InputError, PackageError
from headway.models.gpt.tokenizing import make_words
from headway.package.writing import write_generator
from headway.runtime.generation import load_generator
from headway.runtime.generation.engine import Engine
from headway.runtime.generation.verse import MARKS
from headway.runtime.generation.wishes import Wish
from headway.runtime.manifest import Manifest
from headway.serving.batching import Wait
from headway.serving.writing.author import Author
from headway.serving.writing.grammar import JsonGrammar
from headway.serving.writing.vllm.engine import Heard, VllmEngine
from tests.decoders.tiny import weights_of
from tests.runtime.generation.packages import CONFIG, facts_of, open_tiny
from tests.serving.writing.vllm.stand_in import StandIn

SCHEMA = {
    "type": "object",
    "properties": {"mood": {"enum": ["good", "bad"]}, "stars": {"enum": [1, 2, 3]}},
    "required": ["mood", "stars"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return open_tiny(tmp_path_factory.mktemp("vllm") / "package")


def engine_of(generator, *, backend=None, most=2, **options):
    backend = backend or StandIn(generator)
    found = VllmEngine(
        backend, generator.prompts, window=CONFIG.window, vocabulary=CONFIG.vocabulary, most=most, **options
    )
    return found, backend


def write(engine, prompts, wishes):
    """Return the pieces of all answers, written together."""
    answers = [engine.begin(prompt, wish) for prompt, wish in zip(prompts, wishes, strict=True)]
    pieces = {id(answer): [] for answer in answers}
    for answer in answers:
        engine.add(answer)
    while not engine.is_idle:
        for answer, piece in engine.step():
            pieces[id(answer)].append(piece)
    return [pieces[id(answer)] for answer in answers]


WISHES = [
    Wish(max_tokens=12, temperature=0),
    Wish(max_tokens=20, seed=3),
    Wish(max_tokens=20, seed=4, top_p=0.6, temperature=0.7, chances=2),
    Wish(max_tokens=500, seed=5),  # until the window is full
    Wish(max_tokens=9, temperature=0, chances=0),
]


def test_every_wish_is_answered_as_by_onnxruntime(generator):
    prompts = [generator.ids_of(text) for text in ("ab", "cd", "ab", "大海", "x")]
    engine, backend = engine_of(generator)
    expected = write(Engine(generator.decoder, generator.prompts), prompts, WISHES)
    found = write(engine, prompts, WISHES)
    for ours, theirs in zip(found, expected, strict=True):
        assert [(piece.text, piece.tokens, piece.finish) for piece in ours] == [
            (piece.text, piece.tokens, piece.finish) for piece in theirs
        ]
        for own, other in zip(ours, theirs, strict=True):
            assert [chance.id for chance in own.chances] == [chance.id for chance in other.chances]
            for chance, wanted in zip(own.chances, other.chances, strict=True):
                assert chance.logprob == pytest.approx(wanted.logprob, abs=1e-3)
                assert [each.text for each in chance.others] == [each.text for each in wanted.others]
    assert backend.aborted == []


def test_a_stop_text_ends_an_answer_before_vllm_does(generator):
    prompt, plain = generator.ids_of("ab"), generator.generate(["ab"], max_tokens=30, temperature=0)[0]
    stop = plain.text[5:7]
    engine, backend = engine_of(generator)
    (pieces,) = write(engine, [prompt], [Wish(max_tokens=30, temperature=0, stop=(stop,))])
    assert "".join(piece.text for piece in pieces) == plain.text[: plain.text.index(stop)]
    assert pieces[-1].finish == "stop"
    assert backend.aborted == ["0"]
    assert engine.is_idle


def test_json_is_held_by_vllm_as_it_is_here(generator):
    def wish(seed):
        grammar = JsonGrammar(generator.prompts.tokenizer.to_str(), CONFIG.vocabulary, (256,), SCHEMA)
        return Wish(max_tokens=60, seed=seed, grammar=grammar)

    prompts = [generator.ids_of("ab")] * 2
    expected = write(Engine(generator.decoder, generator.prompts), prompts, [wish(1), wish(2)])
    found = write(engine_of(generator)[0], prompts, [wish(1), wish(2)])
    texts = ["".join(piece.text for piece in pieces) for pieces in found]
    assert texts == ["".join(piece.text for piece in pieces) for pieces in expected]
    assert all(set(json.loads(text)) == {"mood", "stars"} for text in texts)
    assert [pieces[-1].finish for pieces in found] == ["stop", "stop"]


def test_verse_is_held_by_vllm_too(tmp_path):
    words = make_words(["春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少！\n"] * 9, "characters").to_json()
    vocabulary = Tokenizer.from_str(words).get_vocab_size()
    config = replace(CONFIG, vocabulary=vocabulary)
    facts = facts_of(end_ids=(0,), chat=None, lines=(5, 7))
    manifest = Manifest("poems", "generate", "", (), (), generation=facts)
    onnx = export_decoder(config, weights_of(config))
    generator = load_generator(write_generator(tmp_path / "poems", onnx, words.encode(), manifest, card=""), threads=1)
    found = VllmEngine(StandIn(generator), generator.prompts, window=config.window, vocabulary=vocabulary, most=4)
    prompts = [generator.ids_of(text) for text in ("春", "春眠不觉晓，", "花落知多少声风，夜")]
    for prompt, pieces in zip(prompts, write(found, prompts, [Wish(max_tokens=110, seed=2)] * 3), strict=True):
        text = generator.prompts.tokenizer.decode(prompt) + "".join(piece.text for piece in pieces)
        whole = text if pieces[-1].finish == "stop" else text[: max(map(text.rfind, MARKS)) + 1]
        lengths = {len(line) for line in re.split(f"[{''.join(MARKS)}]\n?", whole) if line.strip()}
        assert len(lengths) == 1
        assert lengths <= {5, 7}


def test_answers_wait_for_their_turn_and_leave_it(generator):
    engine, backend = engine_of(generator)
    answers = [engine.begin(generator.ids_of("ab"), Wish(max_tokens=50, seed=place)) for place in range(4)]
    for answer in answers:
        engine.add(answer)
    engine.step()
    assert list(engine.waiting) == answers[2:]
    engine.drop(answers[0])
    engine.drop(answers[3])
    assert backend.aborted == ["0"]
    assert [answers[0].finish, answers[3].finish] == ["cancelled", "cancelled"]
    engine.step()
    assert set(backend.texts) == {"1", "2"}
    engine.drop(answers[1])
    engine.drop(answers[2])
    assert engine.is_idle


def test_prompts_and_forms_that_cannot_be_are_refused_at_once(generator, tmp_path):
    engine, _ = engine_of(generator)
    with pytest.raises(InputError, match="window of 120"):
        engine.begin([1] * 120, Wish())
    endless = open_tiny(tmp_path / "package", end_ids=())
    grammar = JsonGrammar(endless.prompts.tokenizer.to_str(), CONFIG.vocabulary, (), SCHEMA)
    with pytest.raises(InputError, match="cannot hold answers") as caught:
        engine_of(endless)[0].begin([1], Wish(grammar=grammar))
    assert "--engine onnx" in str(caught.value)


def test_one_answer_that_vllm_refuses_harms_no_other(generator):
    class Choosy(StandIn):
        def submit(self, name, prompt, sampling, form):
            if name == "0":
                raise ValueError("no such grammar")
            super().submit(name, prompt, sampling, form)

    engine, _ = engine_of(generator, backend=Choosy(generator))
    refused, written = write(engine, [generator.ids_of("ab")] * 2, [Wish(max_tokens=3, seed=1)] * 2)
    assert isinstance(refused[0], PackageError)
    assert "no such grammar" in str(refused[0])
    assert written[-1].tokens == 3


def test_an_answer_given_up_is_told_and_one_cut_short_ends(generator):
    class Tired(StandIn):
        def step(self):
            return [Heard("0", [], is_over=True, failure="abort"), Heard("1", [97], is_over=True)]

    engine, _ = engine_of(generator, backend=Tired(generator))
    failed, cut = write(engine, [generator.ids_of("ab")] * 2, [Wish(max_tokens=9)] * 2)
    assert "gave an answer up" in str(failed[0])
    assert cut[-1].finish == "length"
    assert cut[-1].tokens == 1


def test_after_three_failures_in_a_row_the_worker_is_told(generator):
    class Broken(StandIn):
        def step(self):
            raise RuntimeError("CUDA error: device-side assert triggered")

        def abort(self, name):
            raise RuntimeError(name)

    broken = []
    engine, backend = engine_of(generator, backend=Broken(generator), most=4, on_broken=lambda: broken.append(True))
    for place in range(2):
        answer = engine.begin(generator.ids_of("ab"), Wish())
        engine.add(answer)
        with pytest.raises(PackageError, match="device-side assert"):
            engine.step()
        assert len(broken) == (place > 0)
        engine.drop(answer)  # which fails too, and counts
    assert engine.is_idle
    engine.close()
    assert backend.is_closed


def test_requests_are_answered_through_the_author(generator):
    engine, backend = engine_of(generator)
    author = Author(engine, queue=3)

    async def ask():
        wait = Wait(60.0, lambda: False)
        orders = [author.order(generator.ids_of("ab"), Wish(max_tokens=6, seed=seed), wait) for seed in range(3)]
        return [["".join(piece.text for piece in pieces)] for pieces in await asyncio.gather(*map(collect, orders))]

    async def collect(order):
        return [piece async for piece in order.pieces()]

    assert asyncio.run(ask()) == [[each.text] for each in generator.generate(["ab"] * 3, max_tokens=6, seed=0)]
    author.end(30)
    assert backend.is_closed
