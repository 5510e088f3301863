"""Answers first, then preferences: two lessons for one set of adapters, each resumable by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from headway.compute.clock import Clock
from headway.compute.drafts import whole_file
from headway.errors import TrainingError
from headway.models.family import Curve
from headway.models.lora.kept import Kept, Room
from headway.models.lora.lessons import Answers, Pairs, Text, pair_sums
from headway.models.lora.network import Tuned
from headway.models.lora.plan import PAIR_RATE_SHARE, Plan
from headway.models.lora.speed import operations_a_token
from headway.models.lora.training import Training
from headway.networks.checkpoints import Checkpoints

# Of the validation part, so many tokens are looked at while training.
LOOK_TOKENS = 4_096
# Seconds for exporting after training, for each million weights, and of a step's for a validation token that is judged.
EXPORT_SECONDS, JUDGE_SHARE = 0.12, 0.4
# Share of the time that is held back besides, for noisy neighbours; and what answers get where pairs are to follow.
RESERVE, ANSWERS_SHARE = 0.03, 0.6
# What of the time left may go into what the decoder thought of pairs before, and how many are read between two looks at
# the clock.
COMPARING_SHARE, COMPARED_AT_ONCE = 0.25, 32


@dataclass(frozen=True)
class Lessons:
    """What is taught and what it is judged by; `pairs` are pairs of texts, the better one first.

    `room`: where all of them keep what lower layers make of texts.
    """

    answers: Answers
    pairs: Sequence[tuple[Text, Text]]
    valid_answers: Answers | None
    valid_pairs: Sequence[tuple[Text, Text]]
    room: Room


@dataclass
class School:
    """One course. `scratch`: where a killed course goes on from, named by `key`; `replay`: the steps of an earlier one.

    `taken`: the steps of each lesson whose adapters were kept.
    """

    network: Tuned
    plan: Plan
    clock: Clock
    seed: int
    scratch: Path | None
    key: str
    replay: tuple[int, int] | None = None
    taken: list[int] = field(default_factory=lambda: [0, 0])
    curves: list[Curve] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def teach(self, lessons: Lessons) -> None:
        """Teach answers where the plan has steps for them, then pairs."""
        if self.plan.steps:
            whole = math.isinf(self.clock.deadline) or not self.plan.pair_steps
            clock = self.clock if whole else Clock.after(self.clock.left() * ANSWERS_SHARE)
            valid = None if lessons.valid_answers is None else first_texts(lessons.valid_answers)
            ran = self._teach(0, lessons.answers, valid, clock, lessons)
            self.plan = replace(self.plan, steps=ran)
        if self.plan.pair_steps:
            micro = lessons.answers.micro
            pairs = self._compared(lessons.pairs, "pairs", micro, lessons.room)
            judges = None
            if lessons.valid_pairs:
                judges = self._compared(lessons.valid_pairs, "valid-pairs", micro, lessons.room)
            fewer = -(-self.plan.pair_steps * len(pairs) // max(1, len(lessons.pairs)))
            self.plan = replace(self.plan, pair_steps=fewer)
            try:
                ran = self._teach(1, pairs, judges, self.clock, lessons)
            except TrainingError as error:
                if not self.taken[0]:
                    raise
                # The answers that were taught are worth having.
                self.trouble.append(f"preferences were not taught: {error.problems[0].what}")
                ran = 0
            self.plan = replace(self.plan, pair_steps=ran)

    def _teach(
        self, number: int, lesson: Answers | Pairs, valid: Answers | Pairs | None, clock: Clock, lessons: Lessons
    ) -> int:
        """Teach one lesson; return the length of its schedule as it turned out."""
        name, share = (("answers", 1.0), ("pairs", PAIR_RATE_SHARE))[number]
        file = None if self.scratch is None else course_file(self.scratch, self.key, name)
        training = Training(
            self.network, lesson, valid, self.plan, clock, self.seed,
            steps=(self.plan.steps, self.plan.pair_steps)[number],
            rate=self.plan.learning_rate * share,
            stop=None if self.replay is None else self.replay[number],
            checkpoints=None if file is None else Checkpoints(file),
            settings=asdict(self.plan),
        )  # fmt: skip
        is_new, is_hurried = not training.resume(), not math.isinf(clock.deadline)
        if is_hurried and is_new:
            training.seconds_a_step = training.timed()
        if is_hurried:
            training.reserve = self._reserve(training, lessons)
        if is_hurried and is_new:
            training.look_seconds = 0.0 if valid is None else self._judging(training, lesson, tokens_of(valid))
            training.space_looks()
        training.fit_loop()
        self.taken[number] = training.taken
        label = "loss" if number == 0 else "preference loss"
        self.curves.append(Curve(label, tuple(training.train_loss), tuple(training.valid_loss)))
        read = training.schedule * self.plan.batch_size
        if training.schedule < training.steps and read < len(lesson):
            self.trouble.append(f"{read} of {len(lesson)} {('texts', 'pairs')[number]} were read, as the time allowed")
        if training.trouble:
            self.trouble.append(training.trouble)
        if training.checkpoints is not None and training.checkpoints.trouble:
            self.trouble.append(training.checkpoints.trouble)
        return training.schedule

    def _reserve(self, training: Training, lessons: Lessons) -> float:
        """Return the seconds that judging the validation part and exporting will take after the training."""
        weights = operations_a_token(self.network.config, answer_share=1) / 4
        tokens = 0 if lessons.valid_answers is None else lessons.valid_answers.tokens
        judging = self._judging(training, lessons.answers, tokens)
        return RESERVE * self.clock.left() + EXPORT_SECONDS * weights / 1e6 + judging

    def _judging(self, training: Training, lesson: Answers | Pairs, tokens: int) -> float:
        """Return the seconds of judging so many tokens, by what a step of a lesson takes."""
        mean = tokens_of(lesson) / max(1, len(lesson))
        return JUDGE_SHARE * tokens * training.seconds_a_step / max(1.0, mean * self.plan.batch_size)

    def _compared(self, texts: Sequence[tuple[Text, Text]], name: str, micro: int, room: Room) -> Pairs:
        """Return pairs with what the decoder thought of them before; computed once, and kept for a resumed run.

        Where time is short they are as many as it allows, drawn at random.
        """
        file = None if self.scratch is None else self.scratch / f"lora-{self.key}-{name}.npy"
        kept = Kept(room)
        texts = [texts[number] for number in np.random.default_rng(self.seed).permutation(len(texts))]
        if file is not None and file.exists():
            reference = np.load(file)
        else:
            reference = self._thought_of(texts, micro, kept)
            self._keep_thoughts(reference, file, name)
        if len(reference) < len(texts):
            purpose = "pairs to learn from" if name == "pairs" else "pairs to validate on"
            self.trouble.append(f"{len(reference)} of {len(texts)} {purpose} were compared, as the time allowed")
        return Pairs(texts[: len(reference)], reference, self.plan.beta, micro, kept)

    def _keep_thoughts(self, reference: np.ndarray, file: Path | None, name: str) -> None:
        if file is None:
            return
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as draft, draft.open("wb") as stream:
                np.save(stream, reference)
        except OSError as error:
            self.trouble.append(f"what the decoder thought of the {name} could not be kept ({error})")

    def _thought_of(self, texts: Sequence[tuple[Text, Text]], micro: int, kept: Kept) -> np.ndarray:
        """Return the nats of both texts of pairs, float64 `[n, 2]`, of as many as the time allows."""
        clock = Clock() if math.isinf(self.clock.deadline) else Clock.after(COMPARING_SHARE * self.clock.left())
        found = [pair_sums(self.network, texts[:COMPARED_AT_ONCE], micro, kept=kept)]
        for start in range(COMPARED_AT_ONCE, len(texts), COMPARED_AT_ONCE):
            if clock.left() <= 0:
                break
            part = texts[start : start + COMPARED_AT_ONCE]
            found.append(pair_sums(self.network, part, micro, kept=kept, first=start))
        return np.concatenate(found)


def course_file(scratch: Path, key: str, name: str) -> Path:
    """Return where a lesson of a course keeps its state."""
    return scratch / f"lora-{key}-{name}.pt"


def tokens_of(lesson: Answers | Pairs) -> int:
    """Return the tokens of a lesson."""
    return lesson.tokens if isinstance(lesson, Answers) else sum(len(text) for pair in lesson.texts for text in pair)


def first_texts(answers: Answers) -> Answers:
    """Return the first texts of about `LOOK_TOKENS` tokens."""
    ends = np.cumsum([len(text) for text in answers.texts])
    return Answers(answers.texts[: int(np.searchsorted(ends, LOOK_TOKENS)) + 1], answers.micro, answers.kept)
