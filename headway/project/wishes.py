"""Wishes that fit the schema and still cannot come true: unknown families, settings that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from headway.errors import Problem
from headway.project.complaints import describe, suggest, word_missing
from headway.project.document import Document, Key
from headway.project.schema import Project

_REGRESSION = ("mae", "rmse", "r2")
_REGRESSION_LOSSES = ("mse", "mae", "huber")
_CLASSIFICATION_ONLY = ("class_weights", "focal_gamma", "label_smoothing")
_GENERATION = ("bits_per_character", "perplexity")
_TASKS_OF_METRICS = {**dict.fromkeys(_REGRESSION, "regress"), **dict.fromkeys(_GENERATION, "generate")}
# What speaks of a column to predict; text to write has none.
_WITH_TARGET_ONLY = ("decision", "descriptions", "unlabelled", "augment")
_OF_ROWS = ("group", "time", "folds")


def find_impossible(document: Document, families: Mapping[str, frozenset[str]] | None) -> tuple[Problem, ...]:
    """Return what cannot be done; looks at raw values, so that it can run beside the schema's own checks."""
    return (
        *_check_families(document, families),
        *_check_target(document),
        *_check_columns(document),
        *_check_task(document),
        *_check_decision(document),
        *_check_split(document),
    )


def _check_families(document: Document, families: Mapping[str, frozenset[str]] | None) -> Iterator[Problem]:
    """Find families nobody knows, ones named twice, and settings that a family does not honour."""
    seen: set[str] = set()
    for name, settings, path in _list_models(document.values.get("models")):
        where = document.place(path)
        if name in seen:
            yield Problem(f'the candidate "{name}" is named twice', where, fix="keep one of them")
        seen.add(name)
        if families is None:
            continue
        if name not in families:
            known = sorted(families)
            fix = suggest(name, ["auto", *known])
            yield Problem(f'no candidate family "{name}"', where, f"auto, or some of {', '.join(known)}", "", fix)
            continue
        for key in settings:
            training = Project.model_fields["training"].default
            if key in type(training).model_fields and key not in families[name]:
                honours = ", ".join(sorted(families[name])) or "no settings"
                place = document.place((*path, key))
                fix = "remove it, or set it under training: for the candidates that honour it"
                yield Problem(
                    f'the candidate "{name}" does not honour "{key}"', place, f"it honours {honours}", "", fix
                )


def _list_models(models: object) -> Iterator[tuple[str, Mapping[str, Any], tuple[Key, ...]]]:
    """Yield each family that is named, its settings and its path in the file."""
    if isinstance(models, str) and models != "auto":
        yield models, {}, ("models",)
    if isinstance(models, Mapping):
        for name, settings in models.items():
            yield str(name), settings if isinstance(settings, Mapping) else {}, ("models", name)
    if isinstance(models, tuple):
        for index, item in enumerate(models):
            if isinstance(item, str):
                yield item, {}, ("models", index)
            elif isinstance(item, Mapping):
                for name, settings in item.items():
                    yield str(name), settings if isinstance(settings, Mapping) else {}, ("models", index, name)


def _check_target(document: Document) -> Iterator[Problem]:
    """Find a missing target, and what has no meaning where text is to be written."""
    if document.values.get("task") == "generate":
        yield from _check_writing(document)
    elif document.values.get("target") is None:
        yield word_missing(("target",), document)


def _check_writing(document: Document) -> Iterator[Problem]:
    """Find keys that text or pictures to be made have no use for, and inputs that cannot be."""
    values = document.values
    split = values.get("split")
    parts = [f"split.{key}" for key in _OF_ROWS if isinstance(split, Mapping) and split.get(key) is not None]
    for key in (*(key for key in _WITH_TARGET_ONLY if values.get(key)), *parts):
        place = document.place(tuple(key.split(".")))
        yield Problem(f"{key} has no meaning for the task generate", place, fix="remove it")
    inputs = values.get("inputs")
    if not isinstance(inputs, Mapping):
        return
    if "image" in inputs.values():
        yield from _check_drawing(inputs, document)
        return
    for name, kind in inputs.items():
        if kind != "text":
            place = document.place(("inputs", str(name)))
            yield Problem(f'the prompt "{name}" is no text', place, f"inputs: {{{name}: text}}", describe(kind))
    if inputs and values.get("target") is None:
        what, fix = "inputs are prompts, and the column to write is not named", "add target: the column to be written"
        yield Problem(what, document.place(("inputs",)), fix=fix)


def _check_drawing(inputs: Mapping[str, object], document: Document) -> Iterator[Problem]:
    """Find further inputs beside the picture to be drawn."""
    for name in list(inputs)[1:]:
        what = "a picture is drawn from noise and its class, not from other columns"
        fix = "keep one column of pictures; target: names the column of their class"
        yield Problem(what, document.place(("inputs", str(name))), "one input of the kind image", name, fix)


def _check_columns(document: Document) -> Iterator[Problem]:
    """Find columns that are wanted in two roles."""
    values = document.values
    target, inputs, ignore = values.get("target"), values.get("inputs"), values.get("ignore")
    if isinstance(inputs, Mapping) and target in inputs:
        what = f'the target "{target}" is also an input'
        yield Problem(what, document.place(("inputs", str(target))), fix="remove it from inputs")
    if not isinstance(ignore, tuple):
        return
    for index, column in enumerate(ignore):
        if column == target:
            yield Problem(f'the target "{target}" is ignored', document.place(("ignore", index)), fix="remove it")
        elif isinstance(inputs, Mapping) and column in inputs:
            what = f'the column "{column}" is both an input and ignored'
            yield Problem(what, document.place(("ignore", index)), fix="keep one of the two")


def _check_task(document: Document) -> Iterator[Problem]:
    """Find a metric or training settings that belong to the other task."""
    values = document.values
    task, metric = values.get("task"), values.get("metric")
    if task not in ("classify", "regress", "generate"):
        return
    if isinstance(metric, str) and _TASKS_OF_METRICS.get(metric, "classify") != task:
        expected = f"a metric of the task {task}"
        yield Problem(f"metric {metric} does not fit the task {task}", document.place(("metric",)), expected)
    for path, settings in _list_training(values):
        loss = settings.get("loss")
        if isinstance(loss, str) and task != "generate" and (loss in _REGRESSION_LOSSES) != (task == "regress"):
            what = f"the loss {loss} does not fit the task {task}"
            yield Problem(what, document.place((*path, "loss")), f"a loss of the task {task}")
        for key in _CLASSIFICATION_ONLY:
            if task != "classify" and settings.get(key) is not None:
                yield Problem(
                    f"{key} has no meaning for the task {task}", document.place((*path, key)), fix="remove it"
                )


def _list_training(values: Mapping[str, object]) -> Iterator[tuple[tuple[Key, ...], Mapping[str, Any]]]:
    training = values.get("training")
    if isinstance(training, Mapping):
        yield ("training",), training
    for _, settings, path in _list_models(values.get("models")):
        yield path, settings


def _check_decision(document: Document) -> Iterator[Problem]:
    """Find half a decision, or one that regression cannot make."""
    decision = document.values.get("decision")
    if not isinstance(decision, Mapping):
        return
    if document.values.get("task") == "generate":
        return
    where = document.place(("decision",))
    if document.values.get("task") == "regress" and decision:
        yield Problem("decision has no meaning for the task regress", where, fix="remove it")
    has_precision = decision.get("precision") is not None
    if decision.get("label") is not None and not has_precision:
        got = f"only label: {describe(decision['label'])}"
        yield Problem("half a decision", where, "the wanted precision of the label, such as precision: 95%", got)
    if has_precision and decision.get("costs"):
        yield Problem("two rules for one decision", where, "either costs, or precision with label")


def _check_split(document: Document) -> Iterator[Problem]:
    """Find shares that leave nothing to train on."""
    split = document.values.get("split")
    if not isinstance(split, Mapping):
        return
    shares = [0.2 if split.get(name) is None else split[name] for name in ("test", "valid")]
    numbers = [share for share in shares if isinstance(share, int | float) and not isinstance(share, bool)]
    if all(0 < number < 1 for number in numbers) and sum(numbers) >= 0.95:
        what = "test and valid leave too few rows to train on"
        yield Problem(what, document.place(("split",)), "shares that sum to less than 95%", f"{sum(numbers):.0%}")
