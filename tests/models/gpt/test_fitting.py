"""Training, stopped and gone on with; what goes wrong; and what comes out."""

import errno
import math
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

torch = pytest.importorskip("torch")

from headway.compute.clock import Clock  # noqa: E402 - after the skip
from headway.data.dataset import Column  # noqa: E402
from headway.errors import TrainingError  # noqa: E402
from headway.models.decoder_graph import continue_texts, facts_of, judge_graph, open_decoder  # noqa: E402
from headway.models.decoder_graph import fitted as fitted_prompt  # noqa: E402
from headway.models.family import Examples, Support, notes_of  # noqa: E402
from headway.models.gpt import fitting  # noqa: E402
from headway.models.gpt.fitting import fit  # noqa: E402
from headway.models.gpt.plan import Size  # noqa: E402
from headway.models.gpt.training import Training  # noqa: E402
from headway.networks.checkpoints import Checkpoints  # noqa: E402
from headway.pipeline.plain import plain_recipe  # noqa: E402
from headway.project import build  # noqa: E402
from headway.report.translation import translate  # noqa: E402
from headway.tasks import Generate  # noqa: E402
from headway.tasks.recipe import Recipe  # noqa: E402

SHORT = Recipe(epochs=3, batch_size=4)


def examples(texts, **columns):
    frame = pl.DataFrame({**columns, "text": texts})
    inputs = tuple(Column(name, "text") for name in frame.columns)
    return Examples(frame, inputs, frame["text"].str.len_chars().to_numpy().astype(np.float32))


def verses(count, seed=0):
    """Lines of five or seven characters out of a small alphabet, each letter followed by the next."""
    random = np.random.default_rng(seed)
    letters = "春夏秋冬风花雪月山水云雨"
    found = []
    for _ in range(count):
        length, start = int(random.choice([5, 7])), int(random.integers(12))
        found.append("，".join("".join(letters[(start + n + k) % 12] for k in range(length)) for n in range(2)))
    return found


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr("headway.models.gpt.plan.LADDER", (Size(32, 1),))


def fitted(texts, *, form="documents", recipe=SHORT, clock=None, support=None, **options):
    train = replace(examples(texts), support=support or Support())
    valid = options.pop("valid", examples(verses(8, seed=9)))
    wishes = {"settings": None, "seed": 0, "clock": clock or Clock(), **options}
    return fit(train, valid, Generate(form), recipe, **wishes)


@contextmanager
def killed_at(number):
    """Let a training die before its step of this number, from 0."""
    step = Training.train_step

    def dies(self, left):
        if self.steps == number:
            raise KeyboardInterrupt
        return step(self, left)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "train_step", dies)
        yield


def test_it_learns_and_its_graph_finds_texts_as_likely():
    model = fitted(verses(60), recipe=Recipe(epochs=40, batch_size=4))
    test = examples(verses(10, seed=5)).rows
    answers = model.predict(test)
    assert answers[:, 0].sum() / answers[:, 1].sum() < 1.0
    graph = model.graph()
    np.testing.assert_allclose(judge_graph(graph, test), answers, rtol=1e-4, atol=1e-3)
    (written,) = continue_texts(open_decoder(graph), ["春夏"], tokens=20, temperature=0.5, top_p=0.9, seed=1)
    assert set(written) <= set("春夏秋冬风花雪月山水云雨，")
    assert facts_of(graph)[1].units == "characters"


def test_the_same_seed_gives_the_same_model_and_settings_replay_it():
    first, again = fitted(verses(20)), fitted(verses(20))
    replayed = fitted(verses(20), settings=first.settings)
    rows = examples(verses(5, seed=3)).rows
    assert (first.predict(rows) == again.predict(rows)).all()
    assert (first.predict(rows) == replayed.predict(rows)).all()
    assert first.curves == again.curves


@pytest.mark.parametrize("schedule", [None, "cosine"])
def test_the_rate_falls_as_the_project_asks(tmp_path, monkeypatch, schedule):
    rates, step = [], Training.train_step

    def noted(self, left):
        loss = step(self, left)
        rates.append(self.optimizers[0].param_groups[0]["lr"] / self.plan.learning_rate)
        return loss

    monkeypatch.setattr(Training, "train_step", noted)
    asked = {"epochs": 6, "batch_size": 4, "warmup": 0.0} | ({} if schedule is None else {"schedule": schedule})
    project = build(data="book.txt", task="generate", models=["gpt"], training=asked, folder=tmp_path)
    model = fitted(verses(60), recipe=plain_recipe(project.training))
    done = (np.arange(len(rates)) + 0.5) / len(rates)
    expected = 1 - done if schedule is None else (1 + np.cos(np.pi * done)) / 2
    np.testing.assert_allclose(rates, expected, atol=1e-6)
    assert model.settings["schedule"] == (schedule or "linear")


def test_killed_and_resumed_training_gives_the_same_curve(tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoints, "is_due", lambda self: True)
    recipe, texts = Recipe(epochs=6, batch_size=4, dropout=0.2), verses(30)
    whole = fitted(texts, recipe=recipe)
    support = Support(scratch=tmp_path)
    with killed_at(7), pytest.raises(KeyboardInterrupt):
        fitted(texts, recipe=recipe, support=support)
    resumed = fitted(texts, recipe=recipe, support=support)
    assert resumed.curves == whole.curves
    rows = examples(verses(5, seed=3)).rows
    assert (resumed.predict(rows) == whole.predict(rows)).all()


def test_a_resumed_training_keeps_its_threads_units_and_pace(tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoints, "is_due", lambda self: True)
    monkeypatch.setattr("headway.models.gpt.tokenizing.SMALLEST", 300)
    way = {"precision": "float32", "threads": 1}
    monkeypatch.setattr(fitting, "speed_of", lambda *_, **__: (1.0, way))  # so slow that pieces of words are read
    texts, support, clock = [f"line {n} goes on" for n in range(60)], Support(scratch=tmp_path), Clock.after(1e6)
    with killed_at(3), pytest.raises(KeyboardInterrupt):
        fitted(texts, support=support, clock=clock)
    monkeypatch.setattr(fitting, "speed_of", lambda *_, **__: pytest.fail("the kept plan makes this needless"))
    resumed = fitted(texts, support=support, clock=clock)
    assert resumed.plan.threads == 1
    assert resumed.words.kind == "bpe"


def test_time_that_is_over_for_a_resumed_training_keeps_plan_and_curve(tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoints, "is_due", lambda self: True)
    recipe, texts, support = Recipe(epochs=6, batch_size=4), verses(30), Support(scratch=tmp_path)
    whole = fitted(texts, recipe=recipe)
    with killed_at(9), pytest.raises(KeyboardInterrupt):
        fitted(texts, recipe=recipe, support=support, clock=Clock.after(1e6))
    resumed = fitted(texts, recipe=recipe, support=support, clock=Clock.after(0))
    assert resumed.plan.steps == 9
    assert replace(resumed.plan, steps=0, precision="auto", threads=None) == replace(whole.plan, steps=0, threads=None)
    looks = len(resumed.curves[0].train) - 1  # the last one is that of the end
    assert looks > 0
    assert resumed.curves[0].train[:looks] == pytest.approx(whole.curves[0].train[:looks], rel=0.05)


def test_what_ships_goes_on_through_the_texts_that_were_held_out(tmp_path):
    recipe, support = Recipe(epochs=20, batch_size=4), Support(scratch=tmp_path)
    learnt, held_out = verses(40), ["雨云水山月雪花风冬秋，夏春雨云水山月雪花风"[:21]] * 30
    first = fitted(learnt, recipe=recipe, support=support, clock=Clock.after(1e6), valid=examples(held_out))
    whole = replace(examples([*learnt, *held_out]), support=support)
    again = fit(whole, None, Generate("documents"), recipe, settings=first.settings, seed=0, clock=Clock.after(1e6))
    rows = examples(held_out).rows
    assert again.predict(rows)[:, 0].sum() < 0.97 * first.predict(rows)[:, 0].sum()
    assert again.plan.steps < first.plan.steps / 2
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(TrainingError, match="is gone"):
        fit(whole, None, Generate("documents"), recipe, settings=first.settings, seed=0, clock=Clock.after(1e6))


def test_a_full_disk_costs_the_checkpoint_and_not_the_training(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Checkpoints, "is_due", lambda self: True)
    monkeypatch.setattr(torch, "save", full)
    model = fitted(verses(20), support=Support(scratch=tmp_path))
    (note,) = notes_of(model)
    assert "No space left on device" in note
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_no_number_ends_training_with_advice(monkeypatch):
    monkeypatch.setattr(Training, "loss_of", lambda self, rows: self.network.norm.weight.sum() * math.nan)
    with pytest.raises(TrainingError, match="the loss became nan in step 1") as caught:
        fitted(verses(20))
    assert "training.learning_rate" in str(caught.value)


def test_a_loss_that_is_no_number_late_keeps_the_best_weights(monkeypatch):
    loss_of = Training.loss_of
    monkeypatch.setattr(
        Training, "loss_of", lambda self, rows: loss_of(self, rows) * (math.nan if self.steps > 20 else 1)
    )
    model = fitted(verses(60), recipe=Recipe(epochs=40, batch_size=4))
    assert notes_of(model) == ("the loss was no number in step 22; the best weights before that were kept",)
    assert np.isfinite(model.predict(examples(verses(5, seed=3)).rows)).all()


@pytest.mark.parametrize(("rate", "units"), [(1e4, "bpe"), (1e12, "characters")])
def test_what_can_hardly_be_read_is_read_in_pieces_of_words(monkeypatch, rate, units):
    monkeypatch.setattr(fitting, "speed_of", lambda *_, **__: (rate, {"precision": "float32"}))
    monkeypatch.setattr("headway.models.gpt.tokenizing.SMALLEST", 300)
    texts = [f"line {number} of a text that goes on\n" for number in range(60)]
    model = fitted(texts, form="stream", recipe=Recipe(epochs=1, batch_size=4), clock=Clock.after(1e4))
    assert model.words.kind == units


def test_verse_is_written_by_character_however_short_the_time(monkeypatch):
    monkeypatch.setattr(fitting, "speed_of", lambda *_, **__: (1.0, {"precision": "float32"}))
    assert fitted(verses(60), clock=Clock.after(1e4)).words.kind == "characters"


def test_what_stands_before_is_cut_by_tokens():
    generator = open_decoder(fitted(verses(20)).graph())
    prompt = fitted_prompt("🎉" * 30, generator)
    assert prompt != "🎉" * 30
    assert 1 < len(generator.ids_of(prompt)) <= generator.decoder.window // 2
    assert len(continue_texts(generator, ["🎉" * 30], tokens=3, temperature=0.5, top_p=0.9, seed=1)) == 1


def test_the_clock_is_obeyed():
    with pytest.raises(TrainingError, match="the time ended before the first training step"):
        fitted(verses(20), clock=Clock.after(0))


@pytest.mark.parametrize("text", ["🎉👩‍👧 mixed 混合 смесь\n" * 40, "a" * 300])
def test_odd_running_texts_are_learnt(text):
    pieces = [text[start : start + 100] for start in range(0, len(text), 100)]
    model = fitted(pieces, form="stream", recipe=Recipe(epochs=1))
    assert np.isfinite(model.predict(examples(pieces).rows)).all()


def test_long_texts_are_judged_as_a_whole_and_prompts_do_not_count():
    train = examples(["答" * 5, "好" * 400], prompt=["问" * 300, None])
    model = fit(train, None, Generate("answers"), SHORT, settings=None, seed=0, clock=Clock())
    answers = model.predict(train.rows)
    assert answers[:, 1].tolist() == [6, 401]
    told = "2 of 2 texts have more than the 256 tokens that are read at once: they are learnt in pieces"
    assert notes_of(model) == (told,)
    assert translate(told, "zh").startswith("2 篇文本中有 2 篇")
    assert np.isfinite(answers).all()


def test_the_rate_goes_up_and_down():
    from headway.networks.optimizing import Progress, rate_factor

    plan = fitting.plan_for(Recipe(), tokens=1000, longest=100, vocabulary=50, readable=math.inf)
    factors = [rate_factor(plan, Progress(done)) for done in (0.0, plan.warmup, 0.5, 1.0)]
    assert factors[0] == 0
    assert factors[1] == 1
    assert all(later < earlier for earlier, later in pairwise(factors[1:]))


def test_a_prompt_longer_than_the_window_is_continued_from_its_end():
    graph = fitted(verses(20)).graph()
    (written,) = continue_texts(open_decoder(graph), ["春" * 1000], tokens=5, temperature=1.0, top_p=1.0, seed=0)
    assert isinstance(written, str)
