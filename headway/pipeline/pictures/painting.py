"""The training of a run that draws: first the judge, then the generator that it watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from headway.compute.clock import Clock
from headway.errors import MissingExtraError, ParityError
from headway.evaluation.pictures.frechet import frechet_distance, moments_of
from headway.evaluation.pictures.judge import Judge, train_judge
from headway.evaluation.pictures.judged import LookedAt
from headway.evaluation.pictures.variety import variety
from headway.modalities.image.decoding import decoded
from headway.modalities.image.framing import Frame, frame_for
from headway.models.family import Examples, discover
from headway.pipeline.attempt import Attempt
from headway.pipeline.competing import CANDIDATES, examples_of
from headway.pipeline.events import Remark
from headway.pipeline.folder import SCRATCH
from headway.pipeline.pictures.growing import keep_growing
from headway.pipeline.pictures.judging import estimate_judging
from headway.pipeline.pictures.storage import Painting, load_judge, load_painting, save_judge, save_painting
from headway.pipeline.plain import plain_models, plain_recipe
from headway.pipeline.preparing import Prepared
from headway.project.schema import Project
from headway.runtime.manifest import ImageGeneration, Label
from headway.tasks import Generate
from headway.tasks.recipe import Recipe
from headway.training.entrants import settle_recipe

GAN, JUDGE = "gan", "judge"
# The judge's share of the time, within bounds in seconds; the share that is kept for the stages after the training.
JUDGE_SHARE, JUDGE_LEAST, JUDGE_MOST = 0.15, 20.0, 60.0
TAIL_SHARE, TAIL_LEAST, TAIL_MOST = 0.03, 2.0, 15.0
# The judging of the test part, whose seconds are estimated, may take this share of what is left after the judge.
TAIL_LARGEST = 0.3
# Real pictures that looks are compared with, at most.
WATCHED = 2_000
PARITY_PICTURES = 32


def paint(attempt: Attempt, prepared: Prepared) -> Painting:
    """Train the judge and the generator within the budget, or take what an earlier attempt has finished."""
    with attempt.stage("tournament") as note:
        place = attempt.folder.path / CANDIDATES / GAN
        painting = load_painting(place)
        note.resumed = painting is not None
        if painting is None:
            painting = train_both(attempt, prepared)
            with attempt.keeping(GAN):
                save_painting(place, painting)
        for each in painting.notes:
            attempt.listen(Remark(each))
        distance = painting.looks[painting.best].distance
        note.text = f"{GAN} wins, frechet_distance {distance:.4f} in validation"
    return painting


def train_both(attempt: Attempt, prepared: Prepared) -> Painting:
    """Train judge and generator; raises `MissingExtraError` without PyTorch, and what training raises."""
    if discover().cards[GAN].missing() is not None:
        raise MissingExtraError("deep", purpose="drawing pictures")
    project, fold = attempt.project, prepared.split.folds[0]
    examples = examples_of(prepared.dataset)
    examples = replace(examples, support=replace(examples.support, scratch=attempt.folder.path / SCRATCH))
    learnt, valid = examples.take(fold.train), examples.take(fold.valid)
    clock = attempt.clock.earlier(min(max(TAIL_SHARE * project.budget.time, TAIL_LEAST), TAIL_MOST))
    frame = frame_of(learnt)
    labels = prepared.dataset.labels
    place = attempt.folder.path / CANDIDATES / JUDGE
    judge = load_judge(place)
    if judge is None:
        seconds = min(max(JUDGE_SHARE * clock.left(), JUDGE_LEAST), JUDGE_MOST, clock.left() / 2)
        limit = Clock.after(seconds)
        judge = train_judge(learnt, valid, frame, classes=len(labels), seed=project.seed, clock=limit)
        with attempt.keeping(JUDGE):
            save_judge(place, judge)
    attempt.note_seconds()
    clock = clock.earlier(min(estimate_judging(prepared, judge, frame), TAIL_LARGEST * clock.left()))
    # It is told as it happens and needs no place in the report, which shows the same pictures.
    show = keep_growing(attempt.folder.path, lambda words: attempt.listener(Remark(words)))
    return train_generator(
        learnt, valid, judge, labels, recipe=recipe_of(project), seed=project.seed, clock=clock, show=show
    )


def frame_of(examples: Examples) -> Frame:
    """Return the size and mode in which pictures are drawn; raises `DataError` for a size that is not drawn."""
    from headway.models.gan.fitting import LONGEST
    from headway.models.gan.plan import check_size

    frame = frame_for(examples.rows[examples.columns("image")[0]].to_list(), longest=LONGEST)
    check_size(frame.width, frame.height)
    return frame


def recipe_of(project: Project) -> Recipe:
    """Return the training settings that the project fixes."""
    own = (plain_models(project) or {}).get(GAN, Recipe())
    return settle_recipe(discover().cards[GAN], plain_recipe(project.training), own)


def train_generator(
    learnt: Examples,
    valid: Examples,
    judge: Judge,
    labels: Sequence[Label],
    *,
    recipe: Recipe,
    seed: int,
    clock: Clock,
    show: Callable[[np.ndarray], None] = lambda _pictures: None,
) -> Painting:
    """Train a generator on `learnt` while the judge compares what it draws with `valid`; `show` sees the same."""
    from headway.models.gan.fitting import fit
    from headway.models.gan.training import Seen

    column, frame = learnt.columns("image")[0], frame_of(learnt)
    real = judge.look(decoded.read(frame.feed(column), valid.rows[column].head(WATCHED).to_list()))
    moments = moments_of(real.features)

    def watch(pictures: np.ndarray) -> Seen:
        show(pictures)
        views = judge.look(pictures)
        return Seen(frechet_distance(views.features, moments), variety(views, real))

    fitted = fit(learnt, None, Generate(), recipe, settings=frame.settings, seed=seed, clock=clock, watch=watch)
    counts = np.bincount(learnt.y, minlength=len(labels))
    shares = tuple(float(share) for share in counts / counts.sum()) if labels else ()
    painting = Painting(
        fitted.graph().onnx,
        judge,
        ImageGeneration(frame.width, frame.height, frame.mode, fitted.plan.noise, shares),
        tuple(labels),
        dict(fitted.settings),
        fitted.curves,
        tuple(
            LookedAt(look.done, look.pictures, look.seen.distance, look.seen.variety, look.shown)
            for look in fitted.looks
            if look.seen is not None
        ),
        fitted.best,
        fitted.seconds,
        fitted.notes,
    )
    check_drawn_parity(painting, fitted.draw(np.arange(PARITY_PICTURES) % max(1, len(labels)), seed=seed), seed=seed)
    return painting


def check_drawn_parity(painting: Painting, expected: np.ndarray, *, seed: int) -> None:
    """Raise `ParityError` where the graph draws other pictures from the same noise than the trained generator."""
    from headway.models.gan.training import fixed_noise

    noise = fixed_noise(len(expected), painting.facts.noise, seed).numpy()
    given: dict[str, np.ndarray] = {"noise": noise}
    if painting.labels:
        given["label"] = np.arange(len(expected)) % len(painting.labels)
    drawn = painting.generator().session.run(["pixels"], given)[0]
    away = np.abs(drawn.astype(np.int16) - expected).max()
    if away > 1:
        raise ParityError("the exported generator draws other pictures", expected="pixels within 1 of 255",
                          got=f"{away} away")  # fmt: skip
