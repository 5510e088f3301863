"""Teaching a tiny decoder: answers, conversations, pairs, resuming, and what goes wrong."""

import errno
import json
import math
from contextlib import contextmanager
from dataclasses import asdict, replace

import numpy as np
import polars as pl
import pytest

torch = pytest.importorskip("torch")

from headway.compute.clock import Clock  # noqa: E402 - after the skip
from headway.data.corpus.conversations import Turn, write_turns  # noqa: E402
from headway.data.dataset import Column  # noqa: E402
from headway.errors import TrainingError  # noqa: E402
from headway.models.decoder_graph import continue_texts, facts_of, judge_graph, open_decoder  # noqa: E402
from headway.models.family import Examples, Support, notes_of  # noqa: E402
from headway.models.lora import fitting  # noqa: E402
from headway.models.lora.fitting import estimate, fit  # noqa: E402
from headway.models.lora.lessons import Answers, Pairs  # noqa: E402
from headway.models.lora.material import answers_of, material_of  # noqa: E402
from headway.models.lora.network import Tuned  # noqa: E402
from headway.models.lora.plan import plan_for  # noqa: E402
from headway.models.lora.speed import Speed  # noqa: E402
from headway.models.lora.training import Training  # noqa: E402
from headway.networks.checkpoints import Checkpoints  # noqa: E402
from headway.runtime.generation.wishes import Message  # noqa: E402
from headway.tasks import Generate  # noqa: E402
from headway.tasks.recipe import Recipe  # noqa: E402
from tests.decoders.tiny import GPT2  # noqa: E402
from tests.models.lora.bases import tiny_decoder  # noqa: E402
from tests.runtime.generation.packages import CONFIG  # noqa: E402

COLOURS = {"sky": "blue", "grass": "green", "snow": "white", "coal": "black"}
FAST = Recipe(learning_rate=2e-2, batch_size=8, epochs=8)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_decoder(tmp_path_factory.mktemp("base"))


def examples(rows, base, **support):
    frame = pl.DataFrame(rows)
    inputs = tuple(Column(name, "text") for name in ("prompt", "text") if name in frame.columns)
    y = frame["text"].str.len_chars().to_numpy().astype(np.float32)
    return Examples(frame, inputs, y, support=Support(base=base, **support))


def questions(count=32):
    things = list(COLOURS)
    return [{"prompt": f"{things[n % 4]}?", "text": COLOURS[things[n % 4]]} for n in range(count)]


def taught(rows, base, *, recipe=FAST, valid=None, clock=None, **support):
    train = examples(rows, base, **support)
    judges = None if valid is None else examples(valid, base)
    return fit(train, judges, Generate("answers"), recipe, settings=None, seed=0, clock=clock or Clock())


@contextmanager
def killed_at(number):
    """Let a lesson die before its step of this number, from 0; the plan that it had is yielded in a list."""
    step, planned = Training.train_step, []

    def dies(self, left):
        planned.append(self.plan)
        if self.taken == number:
            raise KeyboardInterrupt
        return step(self, left)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "train_step", dies)
        yield planned


def test_answers_are_learnt_and_given_by_what_ships(base):
    model = taught(questions(), base, valid=questions(4))
    rows = examples(questions(4), base).rows
    answers = model.predict(rows)
    assert answers[:, 0].sum() / answers[:, 1].sum() < 0.5
    graph = model.graph()
    np.testing.assert_allclose(judge_graph(graph, rows), answers, rtol=1e-4, atol=1e-2)
    asked = [[Message("user", f"{thing}?")] for thing in COLOURS]
    assert continue_texts(open_decoder(graph), asked, tokens=8, temperature=0, top_p=1, seed=0) == [*COLOURS.values()]


@pytest.mark.parametrize("config", [GPT2])
def test_another_layout_without_a_template_is_taught_too(tmp_path, config):
    own = replace(config, vocabulary=CONFIG.vocabulary, heads=4, key_value_heads=4, width=64, window=120)
    base = tiny_decoder(tmp_path, own, chats=False)
    model = taught(questions(), base, recipe=FAST)
    rows = examples(questions(4), base).rows
    first, last = model.curves[0].train[0], model.curves[0].train[-1]
    assert last < 0.7 * first
    np.testing.assert_allclose(judge_graph(model.graph(), rows), model.predict(rows), rtol=1e-4, atol=1e-2)
    assert "### Assistant:" in facts_of(model.graph())[1].chat.answer


def test_only_what_the_assistant_says_is_learnt(base):
    turns = (Turn("system", "Be brief"), Turn("user", "Hi"), Turn("assistant", "Hello"), Turn("user", "Bye"))
    rows = pl.DataFrame({"prompt": ["Be brief\nHi\nHello\nBye"], "turns": [write_turns(turns)], "text": ["See you"]})
    material = material_of(base, Generate("answers"))
    (text,), cut = answers_of(rows, material)
    learnt = text.ids[text.learnt].tolist()
    end = material.facts.end
    assert learnt == [*material.prompts.words("Hello"), end, *material.prompts.words("See you"), end]
    assert cut == 0
    asked = [Message(turn.role, turn.content) for turn in turns]
    start = material.prompts.conversation(asked)
    assert text.ids[: len(start)].tolist() == start


def test_states_are_kept_where_the_budget_has_room_beside_the_training(base):
    material = material_of(base, Generate("answers"))
    tight = fitting.PROCESS_MB + fitting.teaching_mb(material, 256)
    assert fitting.room_for_states(material, tight, 256).left_mb == pytest.approx(0, abs=1e-6)
    assert fitting.room_for_states(material, tight + 50, 256).left_mb == pytest.approx(50)
    assert fitting.room_for_states(material, float("inf"), 256).left_mb == fitting.MOST_KEPT_MB


def test_conversations_longer_than_the_window_are_cut_and_told(base):
    rows = [{"prompt": "why " * 100, "text": "because"}, {"prompt": "short", "text": "long " * 100}, *questions(4)]
    model = taught(rows, base, recipe=Recipe(epochs=1, batch_size=4))
    (note,) = notes_of(model)
    assert note.startswith("2 of 6 conversations have more than 120 tokens")
    material = material_of(base, Generate("answers"))
    first, second = answers_of(pl.DataFrame(rows[:2]), material)[0]
    assert len(first) == len(second) == material.window
    assert first.ids[first.learnt].tolist() == [*material.prompts.words("because"), material.facts.end]
    assert second.learnt.sum() >= 0.75 * material.window
    assert second.learnt[-1]
    answers = model.predict(examples(rows, base).rows)
    assert answers[1, 1] == 501  # judged as a whole


def pairs(count=16):
    found = []
    for number in range(count):
        thing = list(COLOURS)[number % 4]
        found.append({"prompt": f"{thing}?", "text": COLOURS[thing], "worse": "no idea"})
    return found


@pytest.mark.parametrize("loss", ["dpo", None])
def test_preferences_are_learnt_from_pairs(base, loss):
    recipe = Recipe(loss=loss, learning_rate=2e-2, batch_size=8, epochs=6)
    rows = pairs()
    train = examples(rows, base)
    model = fit(train, examples(pairs(4), base), Generate("answers"), recipe, settings=None, seed=0, clock=Clock())
    curve = model.curves[-1]
    assert curve.name == "preference loss"
    assert curve.train[0] < math.log(2) + 1e-3
    assert curve.valid[-1] < 0.5 * math.log(2)
    assert [each.name for each in model.curves] == (["preference loss"] if loss else ["loss", "preference loss"])
    better = model.predict(train.rows)
    worse = model.predict(train.rows.with_columns(text=pl.col("worse")))
    assert (better[:, 0] < worse[:, 0]).all()


def test_the_gradient_of_a_pair_is_that_of_the_formula(base):
    from headway.models.lora.lessons import Pairs, pair_sums, ready
    from headway.models.lora.material import pairs_of
    from headway.models.lora.network import Tuned

    material = material_of(base, Generate("answers"))
    texts = pairs_of(pl.DataFrame(pairs(3)), material)
    torch.manual_seed(0)
    network = Tuned(material.config, material.weights, rank=2, alpha=4)
    reference = pair_sums(network, texts) + np.array([[0.5, -0.5], [0.0, 0.1], [1.0, 0.0]])
    lesson = Pairs(texts, reference, beta=0.3)
    loss = lesson.learn(network, np.arange(3))
    mine = [each.up.grad.clone() for each in network.maps()]
    network.zero_grad()
    given = ready([text for pair in texts for text in pair], network.device)
    logits = network.finished(network(given.packed), given.wanted) @ network.head.T
    nats = torch.nn.functional.cross_entropy(logits, given.labels, reduction="none")
    sums = torch.zeros(6).index_add(0, given.text, nats).view(3, 2)
    gained = torch.from_numpy(lesson.reference).float() - sums
    expected = -torch.nn.functional.logsigmoid(0.3 * (gained[:, 0] - gained[:, 1])).mean()
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-4)
    for one, other in zip(mine, network.maps(), strict=True):
        torch.testing.assert_close(one, other.up.grad, rtol=1e-3, atol=1e-6)


def test_pairs_are_asked_for_where_there_are_none(base):
    with pytest.raises(TrainingError, match="no pairs to learn preferences from"):
        taught(questions(8), base, recipe=Recipe(loss="dpo"))
    with pytest.raises(TrainingError, match="no pairs to learn preferences from"):  # so that `headway check` says it
        fitting.estimate(examples(questions(8), base), Generate("answers"), Recipe(loss="dpo"), seed=0)


@pytest.mark.parametrize("killed_in", [3, 9])
def test_killed_and_resumed_teaching_gives_the_same_curves(base, tmp_path, monkeypatch, killed_in):
    monkeypatch.setattr(Checkpoints, "is_due", lambda self: True)
    recipe = Recipe(epochs=3, batch_size=8)
    whole = taught(pairs(), base, recipe=recipe, valid=pairs(4))
    step, count = Training.train_step, [0]

    def dies(self, left):
        count[0] += 1
        if count[0] == killed_in:
            raise KeyboardInterrupt
        return step(self, left)

    monkeypatch.setattr(Training, "train_step", dies)
    with pytest.raises(KeyboardInterrupt):
        taught(pairs(), base, recipe=recipe, valid=pairs(4), scratch=tmp_path)
    monkeypatch.setattr(Training, "train_step", step)
    resumed = taught(pairs(), base, recipe=recipe, valid=pairs(4), scratch=tmp_path)
    assert resumed.curves == whole.curves
    rows = examples(pairs(4), base).rows
    assert (resumed.predict(rows) == whole.predict(rows)).all()


def test_a_full_disk_costs_the_checkpoint_and_not_the_teaching(base, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    model = taught(questions(8), base, recipe=Recipe(epochs=1), scratch=tmp_path)
    assert "No space left on device" in notes_of(model)[-1]


def test_teaching_stops_where_the_validation_part_gains_nothing(base):
    other = [{"prompt": "sky?", "text": "zzzz qqqq"}] * 4
    recipe = Recipe(learning_rate=2e-2, batch_size=4, epochs=20, early_stopping=1)
    model = taught(questions(16), base, recipe=recipe, valid=other)
    assert len(model.curves[0].valid) < 8
    assert model.taken[0] < model.plan.steps


def test_a_loss_that_is_no_number_ends_teaching_with_advice(base, monkeypatch):
    monkeypatch.setattr(Answers, "learn", lambda self, network, items: math.nan)
    with pytest.raises(TrainingError, match="the loss became nan in step 1") as caught:
        taught(questions(8), base)
    assert "training.learning_rate" in str(caught.value)


def test_a_loss_that_is_no_number_late_keeps_the_best_adapters(base, monkeypatch):
    learn, steps = Answers.learn, []

    def ends(self, network, items):
        steps.append(1)
        return math.nan if len(steps) > 20 else learn(self, network, items)

    monkeypatch.setattr(Answers, "learn", ends)
    model = taught(questions(), base, valid=questions(4), recipe=replace(FAST, early_stopping=50))
    assert notes_of(model)[-1] == "the loss was no number in step 21; the best adapters before that were kept"
    assert np.isfinite(model.predict(examples(questions(4), base).rows)).all()


def test_a_resumed_lesson_looks_as_often_as_it_had_settled(base, tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoints, "is_due", lambda self: True)
    step, seen = Training.train_step, []
    with killed_at(12), pytest.raises(KeyboardInterrupt):
        taught(questions(), base, valid=questions(4), scratch=tmp_path, clock=Clock.after(1e6))
    monkeypatch.setattr(Training, "space_looks", lambda self: setattr(self, "looks", 1))

    def noted(self, left):
        seen.append(self.looks)
        return step(self, left)

    monkeypatch.setattr(Training, "train_step", noted)
    taught(questions(), base, valid=questions(4), scratch=tmp_path, clock=Clock.after(1e6))
    assert set(seen) == {3}  # 32 steps, ten to a look


def test_answers_that_were_taught_stay_where_preferences_cannot_be(base, monkeypatch):
    monkeypatch.setattr(Pairs, "learn", lambda self, network, items: math.nan)
    model = taught(pairs(), base, recipe=FAST, valid=pairs(4))
    assert notes_of(model)[-1] == "preferences were not taught: the loss became nan in step 1"
    assert model.taken[0] > 0
    with pytest.raises(TrainingError, match="the loss became nan in step 1"):
        taught(pairs(), base, recipe=replace(FAST, loss="dpo"))


def test_where_time_is_short_fewer_pairs_are_compared_and_told(base, monkeypatch):
    monkeypatch.setattr("headway.models.lora.schooling.COMPARING_SHARE", 0.0)
    monkeypatch.setattr("headway.models.lora.schooling.COMPARED_AT_ONCE", 4)
    model = taught(pairs(), base, recipe=replace(FAST, loss="dpo"), clock=Clock.after(1e6))
    assert "4 of 16 pairs to learn from were compared, as the time allowed" in notes_of(model)
    assert model.taken[1] > 0


def test_a_resumed_course_tells_again_how_many_pairs_were_compared(base, tmp_path, monkeypatch):
    monkeypatch.setattr("headway.models.lora.schooling.COMPARING_SHARE", 0.0)
    monkeypatch.setattr("headway.models.lora.schooling.COMPARED_AT_ONCE", 4)
    recipe = replace(FAST, loss="dpo")
    with killed_at(0), pytest.raises(KeyboardInterrupt):
        taught(pairs(), base, recipe=recipe, clock=Clock.after(1e6), scratch=tmp_path)
    model = taught(pairs(), base, recipe=recipe, clock=Clock.after(1e6), scratch=tmp_path)
    assert "4 of 16 pairs to learn from were compared, as the time allowed" in notes_of(model)


def test_pairs_that_went_unread_for_lack_of_time_are_told(base, monkeypatch):
    taken = Training.steps_left
    monkeypatch.setattr(Training, "steps_left", lambda self: min(taken(self), max(0, 3 - self.taken)))
    recipe = replace(FAST, loss="dpo", batch_size=4)
    assert "12 of 16 pairs were read, as the time allowed" in notes_of(taught(pairs(), base, recipe=recipe))


def test_time_that_is_over_for_a_resumed_lesson_keeps_what_was_learnt(base, tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoints, "is_due", lambda self: True)
    with killed_at(12) as planned, pytest.raises(KeyboardInterrupt):
        taught(questions(), base, valid=questions(4), scratch=tmp_path, clock=Clock.after(1e6))
    resumed = taught(questions(), base, valid=questions(4), scratch=tmp_path, clock=Clock.after(0))
    assert resumed.taken[0] == 12
    assert replace(resumed.plan, steps=planned[0].steps) == planned[0]
    assert resumed.curves[0].train


def test_a_killed_lesson_leaves_the_next_one_its_share_of_the_time(base, tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoints, "is_due", lambda self: True)
    step, clocks = Training.train_step, []

    def noted(self, left):
        clocks.append(self.clock)
        return step(self, left)

    with killed_at(2), pytest.raises(KeyboardInterrupt):
        taught(pairs(), base, recipe=FAST, scratch=tmp_path, clock=Clock.after(1e6))
    monkeypatch.setattr(Training, "train_step", noted)
    taught(pairs(), base, recipe=FAST, scratch=tmp_path, clock=Clock.after(2e6))
    assert clocks[0].left() < 0.61e6  # six tenths of the time of the run that was killed
    assert clocks[-1].left() > 1.9e6


@pytest.mark.parametrize("at_once", [4, 1000])
def test_pairs_are_known_again_however_many_are_compared_at_once(base, monkeypatch, at_once):
    monkeypatch.setattr(fitting, "plan_for", lambda recipe, **facts: plan_for(recipe, **{**facts, "passes": 1.0}))
    monkeypatch.setattr("headway.models.lora.schooling.COMPARED_AT_ONCE", at_once)
    rows = [{**row, "prompt": row["prompt"] + " please" * (number % 5)} for number, row in enumerate(pairs())]
    losses = []
    monkeypatch.setattr(Pairs, "learn", noting(Pairs.learn, losses))
    model = taught(rows, base, recipe=replace(FAST, loss="dpo"))
    assert model.plan.depth == 1
    assert losses[0] == pytest.approx(math.log(2), abs=1e-4)  # nothing is learnt yet: both answers as before


def noting(learn, losses):
    def noted(self, network, items):
        losses.append(learn(self, network, items))
        return losses[-1]

    return noted


def test_a_long_estimate_can_be_kept_beside_what_it_came_to(base, monkeypatch):
    monkeypatch.setattr("headway.models.lora.fitting.speed_of", lambda *_: Speed(1.0, "float32", None))
    told = estimate(examples(questions(), base), Generate("answers"), FAST, seed=0)
    assert told.seconds > 1
    assert json.loads(json.dumps(asdict(told))) == asdict(told)


def test_where_time_is_short_the_upper_layers_learn_and_what_lies_below_is_read_once(base, monkeypatch):
    monkeypatch.setattr(fitting, "plan_for", lambda recipe, **facts: plan_for(recipe, **{**facts, "passes": 1.0}))
    read, lower_states = [], Tuned.lower_states

    def noted(self, packed):
        read.append(len(packed.lengths))
        return lower_states(self, packed)

    monkeypatch.setattr(Tuned, "lower_states", noted)
    model = taught(questions(), base, valid=questions(4))
    assert model.plan.depth == 1
    assert notes_of(model) == ("the upper 1 of 2 layers learn, as the time allows",)
    # Eight readings of 32 texts, and some looks at four others.
    assert sum(read) == 36
    rows = examples(questions(4), base).rows
    answers = model.predict(rows)
    assert answers[:, 0].sum() / answers[:, 1].sum() < 1
    np.testing.assert_allclose(judge_graph(model.graph(), rows), answers, rtol=1e-4, atol=1e-2)


def test_the_clock_is_obeyed(base):
    with pytest.raises(TrainingError, match="the time ended before the first training step"):
        taught(questions(8), base, clock=Clock.after(0))


def test_running_text_is_cut_in_pieces_and_nothing_is_lost(base):
    text = "🎉👩‍👧 mixed 混合 смесь\n" * 20
    train = examples([{"text": text[start : start + 60]} for start in range(0, len(text), 60)], base)
    material = material_of(base, Generate("stream"))
    texts, cut = answers_of(train.rows, material)
    assert cut == 0
    assert sum(int(each.learnt.sum()) for each in texts) == len(text.encode())
    model = fit(train, None, Generate("stream"), Recipe(epochs=1), settings=None, seed=0, clock=Clock())
    assert np.isfinite(model.predict(train.rows)).all()
