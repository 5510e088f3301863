"""The test part, beside which the pictures of the generator that ships are judged, once."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from headway.evaluation.pictures.judge import Judge
from headway.evaluation.pictures.judged import DISTANCE, FLOOR, Drawing, compare_pictures
from headway.evaluation.scores import Scores
from headway.modalities.image.decoding import decoded
from headway.modalities.image.framing import Frame
from headway.models.family import Examples
from headway.pipeline.attempt import Attempt
from headway.pipeline.competing import examples_of, held_out
from headway.pipeline.pictures.storage import Painting
from headway.pipeline.preparing import Prepared

# So many pictures are drawn to be judged at most, and so many of them are shown.
DRAWN, SHOWN = 5_000, 40
# Pictures that the judge's speed is measured on.
PROBED = 256


@dataclass(frozen=True)
class Judged:
    """The figures of the generator beside the test part, and what a reader is shown."""

    scores: Scores
    drawing: Drawing


def judge_painting(attempt: Attempt, prepared: Prepared, painting: Painting) -> Judged:
    """Draw through the runtime, and compare with the test part."""
    with attempt.stage("evaluate") as note:
        judged = compare_painting(prepared, painting, seed=attempt.project.seed)
        metrics = judged.scores.metrics
        note.text = (
            f"frechet_distance {metrics[DISTANCE]:.4f} on {judged.scores.rows:,} test rows, "
            f"{metrics[FLOOR]:.4f} between real ones"
        )
    return judged


def compare_painting(prepared: Prepared, painting: Painting, *, seed: int) -> Judged:
    """Return figures and samples of a generator."""
    facts, labels = painting.facts, painting.labels
    frame = Frame(facts.width, facts.height, facts.mode)
    learnt = examples_of(prepared.dataset).take(prepared.split.folds[0].train)
    training, test = _pixels(learnt, frame), _pixels(held_out(prepared)[0], frame)
    count = count_drawn(len(training))
    random = np.random.default_rng([seed, 3])
    places = random.choice(len(labels), count, p=np.asarray(facts.shares)) if labels else None
    if places is not None:  # the shown ones are all labels in turn
        places[:SHOWN] = np.sort(np.arange(SHOWN) % len(labels))
    wanted = None if places is None else [labels[place] for place in places]
    pictures = painting.generator().generate(count, labels=wanted, seed=seed)
    judge = painting.judge
    seen, known = judge.look(pictures), judge.look(training)
    compared = compare_pictures(seen, judge.look(test), known, wanted=places, seed=seed)
    shown = slice(0, SHOWN)
    drawing = Drawing(
        judge_accuracy=judge.accuracy,
        by_groups=judge.by_groups,
        looks=painting.looks,
        best=painting.best,
        drawn=count,
        samples=pictures[shown],
        sample_labels=() if wanted is None else tuple(str(label) for label in wanted[shown]),
        nearest=training[compared.nearest.positions[shown]],
        ratios=tuple(float(each) for each in compared.nearest.distances[shown] / max(compared.usual_distance, 1e-9)),
        notes=painting.notes,
    )
    return Judged(Scores("generate", len(test), compared.figures), drawing)


def count_drawn(training: int) -> int:
    """Return how many pictures are drawn to be judged, where there are so many to learn from."""
    return max(SHOWN, min(training, DRAWN))


def estimate_judging(prepared: Prepared, judge: Judge, frame: Frame) -> float:
    """Return the seconds that judging will take, by the judge's speed on a few pictures."""
    learnt, test = len(prepared.split.folds[0].train), held_out(prepared)[0]
    few = _pixels(test.take(np.arange(min(len(test), PROBED))), frame)
    judge.look(few[:1])
    began = time.perf_counter()
    judge.look(few)
    return (time.perf_counter() - began) / len(few) * (learnt + len(test) + count_drawn(learnt))


def _pixels(part: Examples, frame: Frame) -> np.ndarray:
    column = part.columns("image")[0]
    return decoded.read(frame.feed(column), part.rows[column].to_list())
