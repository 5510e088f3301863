"""A model that writes, judged on the test part beside the yardstick, and samples of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from headway.bases.base import Base
from headway.compute.clock import Clock
from headway.data.corpus.form import find_form, keeps_form
from headway.data.corpus.reading import PROMPT, TEXT, WORSE
from headway.evaluation.comparison import Comparison, compare
from headway.evaluation.scores import Scores
from headway.evaluation.scoring import evaluate
from headway.evaluation.writing.judged import Before, Sample, Writing
from headway.evaluation.writing.memory import Copy, longest_copies
from headway.evaluation.writing.references import chrf, rouge_l
from headway.evaluation.writing.variety import distinct, repetition
from headway.models.conversations import messages_of
from headway.models.decoder_graph import continue_texts, facts_of, judge_graph, open_decoder
from headway.models.family import Examples, discover
from headway.models.ngram.fitting import Ngrams, fit
from headway.models.sequences import AFTER_PROMPT
from headway.package.graph import Graph
from headway.pipeline.attempt import Attempt
from headway.pipeline.competing import Competed
from headway.runtime.generation.prompts import Prompt
from headway.tasks import Generate
from headway.tasks.recipe import Recipe
from headway.training.entrants import YARDSTICK

# So many texts are written to be judged, and so many of them are shown; of at most so many characters.
JUDGED, SHOWN, MOST_CHARACTERS = 48, 6, 240
# The same of a pretrained model, which is much larger; its tokens are pieces of words.
FEW_JUDGED, FEW_TOKENS = 16, 96
# What of the budget's seconds judging a large model may take, in operations; roughly what a test row has of tokens.
JUDGING_OPERATIONS, CHARACTERS_A_TOKEN, TOKENS_OF_TEMPLATE, FEWEST_JUDGED = 4e9, 3.0, 24.0, 64
TEMPERATURE, TOP_P = 0.8, 0.95
# What of a test text is given where nothing else asks for a text: the start of a line.
OPENING = 40


def judge_writing(attempt: Attempt, competed: Competed, examples: Examples) -> tuple[np.ndarray, Scores, Writing]:
    """Return the winner's answers on the test part, its scores, and what else its texts are judged by."""
    task, graph = competed.task, competed.tournament.graph
    assert isinstance(task, Generate)
    seed = attempt.project.seed
    yardstick = count_again(competed, task, seed)
    answers, others = judge_graph(graph, examples.rows), yardstick.predict(examples.rows)
    scores = evaluate(examples.y, answers, task, seed=seed)
    against = compare(others, answers, examples.y, task, names=(YARDSTICK, competed.tournament.winner), seed=seed)
    asked = ask(competed, examples, task, seed=seed)
    written = write(graph, asked, seed=seed)
    theirs = [
        yardstick.write(prompt, most=asked.most, temperature=TEMPERATURE, seed=seed + number)
        for number, prompt in enumerate(asked.prompts)
    ]
    figures, copy = judge_texts(written, asked)
    others_scores = evaluate(examples.y, others, task, seed=seed)
    baseline = {**others_scores.metrics, **judge_texts(theirs, asked)[0]}
    preferred = preferences(graph, examples.rows, answers)
    facts = facts_of(graph)[1]
    scores = replace(scores, metrics={**scores.metrics, **figures, **preferred})
    before, first = judge_base(competed, examples, asked, answers, seed=seed)
    told = first if first is not None else [None] * SHOWN
    samples = [Sample(*each) for each in zip(asked.prompts, written, theirs, asked.references, told, strict=False)][
        :SHOWN
    ]
    writing = Writing(
        units=facts.units,
        lengths=asked.form,
        yardstick=YARDSTICK,
        baseline=baseline,
        against=against,
        rows=len(examples),
        written=len(written),
        samples=tuple(samples),
        copy=copy.passage,
        nats=others[:, 0],
        before=before,
        precision=facts.precision,
        proof=facts.proof,
    )
    return answers, scores, writing


def judge_base(
    competed: Competed, examples: Examples, asked: Asked, answers: np.ndarray, *, seed: int
) -> tuple[Before | None, list[str] | None]:
    """Return how the base of the winner did before it was taught, in as many bits, and what it wrote.

    None for a winner that was made from none.
    """
    base, task = base_of(competed), competed.task
    if base is None:
        return None, None
    from headway.models.lora.material import untaught

    assert isinstance(task, Generate)
    precision = facts_of(competed.tournament.graph)[1].precision
    graph = untaught(base, task, precision=precision)  # type: ignore[arg-type]  # read from JSON
    found = judge_graph(graph, examples.rows)
    scores = evaluate(examples.y, found, task, seed=seed)
    against = compare(found, answers, examples.y, task, names=(base.name, competed.tournament.winner), seed=seed)
    written = write(graph, asked, seed=seed)
    metrics = {**scores.metrics, **judge_texts(written, asked)[0], **preferences(graph, examples.rows, found)}
    return Before(base.name, metrics, against), written


def base_of(competed: Competed) -> Base | None:
    """Return the pretrained decoder that the winner was made from, or None."""
    card = discover().cards.get(competed.tournament.winner)
    return None if card is None or card.base is None else competed.contest.bases.get(card.base)


def preferences(graph: Graph, rows: pl.DataFrame, answers: np.ndarray) -> dict[str, float]:
    """Return in which share of compared answers the better one is found the likelier; nothing without such rows."""
    if WORSE not in rows.columns or rows[WORSE].null_count() == rows.height:
        return {}
    compared = np.flatnonzero(rows[WORSE].is_not_null().to_numpy())
    worse = judge_graph(graph, rows[compared].with_columns(pl.col(WORSE).alias(TEXT)))
    return {"preferred": float(np.mean(answers[compared, 0] < worse[:, 0]))}


def write(graph: Graph, asked: Asked, *, seed: int) -> list[str]:
    """Return what a graph writes for what is asked."""
    generator = open_decoder(graph, lengths=asked.form)
    chat = generator.prompts.facts.chat
    prompts: list[Prompt] = list(asked.prompts)
    if chat is not None and facts_of(graph)[1].chat is not None:
        talks = messages_of(asked.rows, chat)
        prompts = [talk or prompt or AFTER_PROMPT for talk, prompt in zip(talks, prompts, strict=True)]
    return continue_texts(
        generator, prompts, tokens=asked.most, temperature=TEMPERATURE, top_p=TOP_P, seed=seed
    )  # fmt: skip


def judged_rows(competed: Competed, examples: Examples, *, seconds: float, seed: int) -> np.ndarray:
    """Return which test rows the winner is judged on, `[k]` positions: all, or a random sample for a large model.

    A token takes two operations for each weight, and a budget of so many `seconds` has room for so many of them.
    """
    base, everything = base_of(competed), np.arange(len(examples))
    if base is None:
        return everything
    cells = [examples.rows[column.name].str.len_chars().fill_null(0).to_numpy() for column in examples.inputs]
    tokens = np.sum(cells, axis=0) / CHARACTERS_A_TOKEN + TOKENS_OF_TEMPLATE
    order = np.random.default_rng(seed).permutation(len(examples))
    most = JUDGING_OPERATIONS * seconds / (2 * base.parameters)
    count = max(FEWEST_JUDGED, int(np.searchsorted(np.cumsum(tokens[order]), most)))
    return everything if count >= len(everything) else np.sort(order[:count])


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


@dataclass(frozen=True)
class Asked:
    """What texts were written for, what people answered, what was learnt from, and the form of its verse.

    `rows`: what is asked, with who said what; `prompts`: the same as plain texts, which what is written answers
    (`is_answer`) or goes on with; `most`: tokens of an answer.
    """

    rows: pl.DataFrame
    prompts: Sequence[str]
    references: Sequence[str]
    corpus: Sequence[str]
    form: tuple[int, ...]
    is_answer: bool
    most: int


def ask(competed: Competed, examples: Examples, task: Generate, *, seed: int) -> Asked:
    """Return what the samples begin with, and the answers that people gave, empty where there are none.

    Answers: the prompts of test rows. Running text: the start of a test piece. Documents: nothing for most of them, so
    that a whole text is written, and the first line of a test text for the others.
    """
    texts = competed.contest.examples.rows[competed.contest.train][TEXT].to_list()
    form = find_form(texts)
    corpus = joined(texts, task)
    rows, random = of_form(examples.rows, form), np.random.default_rng(seed)
    is_large = base_of(competed) is not None
    judged, most = (FEW_JUDGED, FEW_TOKENS) if is_large else (JUDGED, MOST_CHARACTERS)
    count = min(judged, rows.height) if task.form == "answers" else judged
    chosen = rows[random.permutation(rows.height)[np.arange(count) % rows.height]]
    found = chosen[TEXT].to_list()
    if task.form == "answers":
        prompts = [f"{prompt}{AFTER_PROMPT}" if prompt else "" for prompt in chosen[PROMPT].to_list()]
        return Asked(chosen, prompts, found, corpus, form, is_answer=True, most=most)
    openings = [text.lstrip().split("\n")[0][:OPENING] for text in found]
    if task.form == "documents":
        openings = [opening if number % 4 == 1 else "" for number, opening in enumerate(openings)]
    return Asked(chosen, openings, [""] * count, corpus, form, is_answer=False, most=most)


def joined(texts: Sequence[str], task: Generate) -> Sequence[str]:
    """Return texts as they were: a running one was cut in pieces, and a passage may be copied across a cut."""
    return ["".join(texts)] if task.form == "stream" else texts


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
        begun = [""] * len(written) if asked.is_answer else asked.prompts
        whole = [f"{prompt}{text}" for prompt, text in zip(begun, written, strict=True)]
        figures["form_kept"] = float(np.mean([keeps_form(text, asked.form) for text in whole]))
    return figures, copy


def describe_writing(writing: Writing) -> dict[str, object]:
    """Return the content of `result.json` about the texts."""
    before = writing.before
    return {
        "rows": writing.rows,
        "units": writing.units,
        "line_lengths": list(writing.lengths),
        "baseline": {"name": writing.yardstick, "metrics": dict(writing.baseline)},
        "against_baseline": compared_row(writing.against),
        "before": None if before is None else {"name": before.name, "metrics": dict(before.metrics)},
        "against_before": None if before is None else compared_row(before.against),
        "precision": writing.precision,
        "proof": dict(writing.proof),
        "longest_copy": writing.copy,
        "samples": [vars(sample) for sample in writing.samples],
    }


def compared_row(against: Comparison) -> dict[str, object]:
    """Return a paired test as plain data."""
    return {
        "metric": against.metric,
        "difference": against.difference,
        "interval": list(against.interval),
        "p_value": against.p_value,
        "better": against.better,
    }
