"""Wishes that fit the schema and still cannot come true: unknown families, settings that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from headway.errors import Problem
from headway.project.complaints import describe, suggest, word_missing
from headway.project.document import Document, Key
from headway.project.schema import Project
from headway.project.units import read_moment

_REGRESSION = ("mae", "rmse", "r2")
_REGRESSION_LOSSES = ("mse", "mae", "huber")
_CLASSIFICATION_ONLY = ("class_weights", "focal_gamma", "label_smoothing", "r_drop")
_GENERATION = ("bits_per_character", "perplexity")
_TASKS_OF_METRICS = {**dict.fromkeys(_REGRESSION, "regress"), **dict.fromkeys(_GENERATION, "generate")}
# What wants a column to predict; of a task that is none nobody knows.
_WITH_TARGET = (None, "classify", "regress")
# What speaks of a column to predict; text to write has none.
_WITH_TARGET_ONLY = ("decision", "descriptions", "unlabelled", "history", "augment")
# What speaks of one target alone, and what to do instead.
_OF_ONE_TARGET = {
    "task": "give each target its own: targets: {topic: classify, price: regress}",
    "metric": "remove it: the mean over all targets chooses",
    "decision": "remove it: each target is answered by its most probable label",
    "descriptions": "remove it",
    "history": "remove it",
}
_DATED = ("train_from", "train_until", "test_from")
_OF_ROWS = ("group", "time", "folds", "gap", "train_from", "train_until", "test_from")


def find_impossible(document: Document, families: Mapping[str, frozenset[str]] | None) -> tuple[Problem, ...]:
    """Return what cannot be done; looks at raw values, so that it can run beside the schema's own checks."""
    return (
        *_check_families(document, families),
        *_check_target(document),
        *_check_columns(document),
        *_check_task(document),
        *_check_r_drop(document),
        *_check_decision(document),
        *_check_split(document),
        *_check_moments(document),
        *_check_history(document),
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
    values = document.values
    if values.get("targets") is not None:
        yield from _check_targets(document)
    elif values.get("task") == "generate":
        yield from _check_writing(document)
    elif values.get("target") is None and values.get("task") in _WITH_TARGET:
        yield word_missing(("target",), document)


def _check_targets(document: Document) -> Iterator[Problem]:
    """Find what several targets cannot be joined with, or not yet."""
    values = document.values
    if values.get("target") is not None:
        what, fix = "target and targets at once", "keep targets: with all columns to predict"
        yield Problem(what, document.place(("target",)), "one of the two", "", fix)
    for key, fix in _OF_ONE_TARGET.items():
        if values.get(key):
            yield Problem(f"{key} has no meaning for several targets", document.place((key,)), fix=fix)
    if isinstance(values.get("compress"), Mapping):
        what = "a package of several targets cannot be compressed yet"
        yield Problem(what, document.place(("compress",)), "compress: off, or auto, which leaves it as it is")
    cleaning = values.get("cleaning")
    if isinstance(cleaning, Mapping) and cleaning.get("label_errors") in ("drop", "weight"):
        what = f"label_errors: {cleaning['label_errors']} works for one target alone"
        yield Problem(what, document.place(("cleaning", "label_errors")), "report, or off")
    for path, settings in _list_training(values):
        if isinstance(settings.get("class_weights"), Mapping):
            what = "class_weights for each label do not say of which target"
            yield Problem(what, document.place((*path, "class_weights")), "class_weights: balanced")


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
    inputs, ignore, targets = values.get("inputs"), values.get("ignore"), _names_of_targets(values)
    for target in targets:
        if isinstance(inputs, Mapping) and target in inputs:
            what = f'the target "{target}" is also an input'
            yield Problem(what, document.place(("inputs", str(target))), fix="remove it from inputs")
    if not isinstance(ignore, tuple):
        return
    for index, column in enumerate(ignore):
        if column in targets:
            yield Problem(f'the target "{column}" is ignored', document.place(("ignore", index)), fix="remove it")
        elif isinstance(inputs, Mapping) and column in inputs:
            what = f'the column "{column}" is both an input and ignored'
            yield Problem(what, document.place(("ignore", index)), fix="keep one of the two")


def _names_of_targets(values: Mapping[str, object]) -> tuple[object, ...]:
    """Return the columns to predict, as far as they can be told."""
    several = values.get("targets")
    if isinstance(several, Mapping | tuple):
        return tuple(several)
    return () if values.get("target") is None else (values["target"],)


def _check_task(document: Document) -> Iterator[Problem]:
    """Find a metric or training settings that belong to the other task."""
    values = document.values
    task, metric = values.get("task"), values.get("metric")
    for path, settings in _list_training(values):
        if settings.get("loss") == "dpo" and task != "generate":
            expected = "task: generate, and records with chosen and rejected answers"
            yield Problem("the loss dpo compares texts", document.place((*path, "loss")), expected)
    if values.get("targets") is not None or task not in ("classify", "regress", "generate"):
        return
    if isinstance(metric, str) and _TASKS_OF_METRICS.get(metric, "classify") != task:
        expected = f"a metric of the task {task}"
        yield Problem(f"metric {metric} does not fit the task {task}", document.place(("metric",)), expected)
    for path, settings in _list_training(values):
        loss = settings.get("loss")
        if (
            isinstance(loss, str)
            and loss != "dpo"
            and task != "generate"
            and (loss in _REGRESSION_LOSSES) != (task == "regress")
        ):
            what = f"the loss {loss} does not fit the task {task}"
            yield Problem(what, document.place((*path, "loss")), f"a loss of the task {task}")
        for key in _CLASSIFICATION_ONLY:
            if task != "classify" and settings.get(key) is not None:
                yield Problem(
                    f"{key} has no meaning for the task {task}", document.place((*path, key)), fix="remove it"
                )


def _check_r_drop(document: Document) -> Iterator[Problem]:
    """Find a comparison of two draws where nothing is drawn."""
    for path, settings in _list_training(document.values):
        if settings.get("r_drop") and settings.get("dropout") == 0:
            what = "r_drop compares two draws of dropout, and there is no dropout"
            yield Problem(what, document.place((*path, "r_drop")), "dropout above 0", "0")


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


def _check_moments(document: Document) -> Iterator[Problem]:
    """Find points in time without a column they are about, and ones in the wrong order."""
    split, history = document.values.get("split"), document.values.get("history")
    if not isinstance(split, Mapping):
        return
    named = [name for name in _DATED if split.get(name) is not None]
    has_time = split.get("time") is not None or isinstance(history, Mapping)
    for name in named if not has_time else ():
        place = document.place(("split", name))
        yield Problem(f"split.{name} is about no column", place, fix="add time: the column of when a row happens")
    if "test_from" in named and document.values.get("test") is not None:
        what = "the test part is named twice"
        yield Problem(what, document.place(("split", "test_from")), "either test: or split.test_from")
    for earlier, later in (("train_from", "train_until"), ("train_until", "test_from"), ("train_from", "test_from")):
        first, second = (_moment(split.get(name)) for name in (earlier, later))
        if first is not None and second is not None and first > second:
            place = document.place(("split", later))
            yield Problem(f"split.{later} lies before split.{earlier}", place, got=describe(split[later]))


def _moment(value: object) -> float | None:
    """Return a point in time in seconds, None where it is none."""
    if value is None:
        return None
    try:
        seconds = read_moment(value)
    except ValueError:
        return None
    return seconds if isinstance(seconds, float) else None


def _check_history(document: Document) -> Iterator[Problem]:
    """Find columns in two roles of a history, and settings that lean on one that is missing."""
    history = document.values.get("history")
    if not isinstance(history, Mapping):
        return
    if document.values.get("unlabelled") is not None:
        what = "unlabelled rows have no history"
        yield Problem(what, document.place(("unlabelled",)), fix="leave out unlabelled: or history:")
    target, keys, values = document.values.get("target"), history.get("keys"), history.get("values")
    keys, values = (tuple(each) if isinstance(each, tuple | list) else () for each in (keys, values))
    roles = {"time": (history.get("time"),), "keys": keys, "values": values}
    for role, columns in roles.items():
        if target is not None and target in columns:
            what = f'the target "{target}" is among history.{role}'
            yield Problem(what, document.place(("history", role)), fix="remove it: delay: tells of earlier targets")
        if len(set(map(str, columns))) != len(columns):
            yield Problem(f"history.{role} names a column twice", document.place(("history", role)))
    if history.get("time") in keys:
        what = f'the column "{history["time"]}" is both the time and a key'
        yield Problem(what, document.place(("history", "keys")), fix="keep one of the two")
    block = history.get("block")
    if block is not None and block not in keys:
        fix = suggest(str(block), [str(key) for key in keys])
        known = ", ".join(map(str, keys))
        yield Problem(
            f"history.block has no choice {describe(block)}", document.place(("history", "block")),
            f"one of the keys {known}", "", fix,
        )  # fmt: skip
    for name in ("event", "block"):
        if history.get(name) is not None and history.get("delay") is None:
            place = document.place(("history", name))
            yield Problem(
                f"history.{name} needs history.delay", place, fix="add delay: when the target of a row is known"
            )
