"""A model that writes, judged on the test part beside the yardstick, and samples of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from headway.compute.clock import Clock
from headway.data.corpus.reading import PROMPT, TEXT
from headway.evaluation.comparison import compare
from headway.evaluation.scores import Scores
from headway.evaluation.scoring import evaluate
from headway.evaluation.writing.form import find_form, keeps_form
from headway.evaluation.writing.judged import Sample, Writing
from headway.evaluation.writing.memory import Copy, longest_copies
from headway.evaluation.writing.references import chrf, rouge_l
from headway.evaluation.writing.variety import distinct, repetition
from headway.models.decoder_graph import continue_texts, facts_of, judge_graph, open_decoder
from headway.models.family import Examples
from headway.models.ngram.fitting import Ngrams, fit
from headway.models.sequences import AFTER_PROMPT
from headway.pipeline.attempt import Attempt
from headway.pipeline.competing import Competed
from headway.tasks import Generate
from headway.tasks.recipe import Recipe
from headway.training.entrants import YARDSTICK

# So many texts are written to be judged, and so many of them are shown; of at most so many characters.
JUDGED, SHOWN, MOST_CHARACTERS = 48, 6, 240
TEMPERATURE, TOP_P = 0.8, 0.95
# What of a test text is given where nothing else asks for a text: the start of a line.
OPENING = 40


def judge_writing(attempt: Attempt, competed: Competed, examples: Examples) -> tuple[np.ndarray, Scores, Writing]:
    """Return the winner's answers on the test part, its scores, and what else its texts are judged by."""
    task = competed.task
    assert isinstance(task, Generate)
    seed = attempt.project.seed
    yardstick = count_again(competed, task, seed)
    answers, others = judge_graph(competed.tournament.graph, examples.rows), yardstick.predict(examples.rows)
    scores = evaluate(examples.y, answers, task, seed=seed)
    against = compare(others, answers, examples.y, task, names=(YARDSTICK, competed.tournament.winner), seed=seed)
    texts = competed.contest.examples.rows[competed.contest.train][TEXT].to_list()
    form = find_form(texts) if task.form != "answers" else ()
    prompts, references = ask(of_form(examples.rows, form), task, seed=seed)
    generator = open_decoder(competed.tournament.graph, lengths=form)
    written = continue_texts(
        generator, prompts, tokens=MOST_CHARACTERS, temperature=TEMPERATURE, top_p=TOP_P, seed=seed
    )
    theirs = [
        yardstick.write(prompt, most=MOST_CHARACTERS, temperature=TEMPERATURE, seed=seed + number)
        for number, prompt in enumerate(prompts)
    ]
    asked = Asked(prompts, references, texts, form)
    figures, copy = judge_texts(written, asked)
    others_scores = evaluate(examples.y, others, task, seed=seed)
    baseline = {**others_scores.metrics, **judge_texts(theirs, asked)[0]}
    samples = [Sample(*each) for each in zip(prompts, written, theirs, references, strict=True)][:SHOWN]
    units = facts_of(competed.tournament.graph)[1].units
    scores = replace(scores, metrics={**scores.metrics, **figures})
    writing = Writing(
        units=units,
        lengths=form,
        yardstick=YARDSTICK,
        baseline=baseline,
        against=against,
        written=len(written),
        samples=tuple(samples),
        copy=copy.passage,
        nats=others[:, 0],
    )
    return answers, scores, writing


def count_again(competed: Competed, task: Generate, seed: int) -> Ngrams:
    """Return the yardstick, which does not ship and is counted again in seconds."""
    contest = competed.contest
    kept = next(outcome for outcome in competed.tournament.outcomes if outcome.name == YARDSTICK)
    train = contest.examples.take(contest.folds[0].train)
    return fit(train, None, task, Recipe(), settings=kept.settings or None, seed=seed, clock=Clock())


def of_form(rows: pl.DataFrame, form: tuple[int, ...]) -> pl.DataFrame:
    """Return the texts that keep a form, whose beginnings can be gone on with in it; else all."""
    if not form:
        return rows
    kept = rows.filter(pl.Series([keeps_form(text, form) for text in rows[TEXT].to_list()], dtype=pl.Boolean))
    return kept if kept.height else rows


def ask(rows: pl.DataFrame, task: Generate, *, seed: int) -> tuple[list[str], list[str]]:
    """Return what the samples begin with, and the answers that people gave, empty where there are none.

    Answers: the prompts of test rows. Running text: the start of a test piece. Documents: nothing for most of them, so
    that a whole text is written, and the first line of a test text for the others.
    """
    random = np.random.default_rng(seed)
    count = min(JUDGED, rows.height) if task.form == "answers" else JUDGED
    chosen = rows[random.permutation(rows.height)[np.arange(count) % rows.height]]
    texts = chosen[TEXT].to_list()
    if task.form == "answers":
        return [f"{prompt}{AFTER_PROMPT}" if prompt else "" for prompt in chosen[PROMPT].to_list()], texts
    openings = [text.lstrip().split("\n")[0][:OPENING] for text in texts]
    if task.form == "documents":
        openings = [opening if number % 4 == 1 else "" for number, opening in enumerate(openings)]
    return openings, [""] * count


@dataclass(frozen=True)
class Asked:
    """What texts were written for, what people answered, what was learnt from, and the form of its verse."""

    prompts: Sequence[str]
    references: Sequence[str]
    corpus: Sequence[str]
    form: tuple[int, ...]


def judge_texts(written: Sequence[str], asked: Asked) -> tuple[dict[str, float], Copy]:
    """Return the figures of written texts, and the longest passage copied from the corpus."""
    copies = longest_copies(written, asked.corpus)
    copy = max(copies, key=len)
    figures = {
        "distinct_1": distinct(written, 1),
        "distinct_2": distinct(written, 2),
        "repetition": repetition(written),
        "longest_copy": float(len(copy)),
    }
    if any(asked.references):
        figures |= {"chrf": chrf(written, asked.references), "rouge_l": rouge_l(written, asked.references)}
    if asked.form:
        whole = [f"{prompt}{text}" for prompt, text in zip(asked.prompts, written, strict=True)]
        figures["form_kept"] = float(np.mean([keeps_form(text, asked.form) for text in whole]))
    return figures, copy


def describe_writing(writing: Writing) -> dict[str, object]:
    """Return the content of `result.json` about the texts."""
    against = writing.against
    return {
        "units": writing.units,
        "line_lengths": list(writing.lengths),
        "baseline": {"name": writing.yardstick, "metrics": dict(writing.baseline)},
        "against_baseline": {
            "metric": against.metric,
            "difference": against.difference,
            "interval": list(against.interval),
            "p_value": against.p_value,
            "better": against.better,
        },
        "longest_copy": writing.copy,
        "samples": [vars(sample) for sample in writing.samples],
    }
