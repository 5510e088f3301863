"""Experiments in the store: started and stopped by the command line, followed by every server."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from headway.errors import ExperimentError
from headway.serving.experiments.fitting import find_misfits, listed
from headway.serving.experiments.plan import Arm, Experiment, Guardrails, check_experiment
from headway.serving.store.opening import Store, reaching
from headway.serving.store.records import to_json
from headway.serving.store.serving import Serving, read_serving


def start_experiment(store: Store, experiment: Experiment) -> Experiment:
    """Write a plan down and let it run from now on; return it with its time.

    Raises `ExperimentError` where the plan is no good, the name was used before, the model has a running experiment,
    what it is known to answer cannot be judged by the outcome, or an arm is known not to fit its clients.
    """
    from sqlalchemy import insert

    from headway.serving.store.tables import experiments

    check_experiment(experiment)
    known = read_experiments(store)
    if experiment.name in {each.name for each in known}:
        raise ExperimentError("there was an experiment of this name", got=experiment.name, fix="choose another name")
    running = next((each.name for each in known if each.running and each.model == experiment.model), None)
    if running is not None:
        raise ExperimentError(
            "an experiment runs on this model already", got=running, fix=f"headway experiment stop {running}"
        )
    served = read_serving(store, since=0.0)
    _check_outcome(experiment, served.get(experiment.model))
    _check_arms(experiment, served)
    begun = dataclasses.replace(experiment, started=experiment.started or time.time())
    record = {"name": begun.name, "started": begun.started, "stopped": None, "plan": _to_plan(begun)}
    with reaching(store, "takes no experiment now"), store.engine.begin() as connection:
        connection.execute(insert(experiments), record)
    return begun


def find_missing(experiment: Experiment, served: Collection[str]) -> list[str]:
    """Return the names, in order, that an experiment is about and that no server answers under."""
    wanted = dict.fromkeys([experiment.model, *(arm.package for arm in experiment.arms)])
    return [name for name in wanted if name not in served]


def stop_experiment(store: Store, name: str, *, at: float | None = None) -> Experiment:
    """End an experiment; everybody gets the usual package again. Raises `ExperimentError` for an unknown name."""
    from sqlalchemy import update

    from headway.serving.store.tables import experiments as e

    found = find_experiment(store, name)
    if not found.running:
        return found
    when = at or time.time()
    with reaching(store, "cannot stop it now"), store.engine.begin() as connection:
        connection.execute(update(e).where(e.c.name == name, e.c.stopped.is_(None)).values(stopped=when))
    return dataclasses.replace(found, stopped=when)


def end_arm(store: Store, experiment: str, arm: str, reason: str) -> None:
    """Take an arm out of a running experiment for good; the first reason stays."""
    from sqlalchemy.dialects import postgresql, sqlite

    from headway.serving.store.tables import ended_arms

    insert = sqlite.insert if store.is_sqlite else postgresql.insert
    record = {"experiment": experiment, "arm": arm, "at": time.time(), "reason": reason}
    with reaching(store, "cannot end an arm now"), store.engine.begin() as connection:
        connection.execute(insert(ended_arms).on_conflict_do_nothing(), [record])


def read_experiments(store: Store) -> list[Experiment]:
    """Return all experiments, the oldest first."""
    from sqlalchemy import select

    from headway.serving.store.tables import ended_arms, experiments

    with reaching(store, "cannot be read"), store.engine.connect() as connection:
        ended: dict[str, dict[str, str]] = {}
        for each in connection.execute(select(ended_arms)):
            ended.setdefault(each.experiment, {})[each.arm] = each.reason
        return [
            dataclasses.replace(
                _from_plan(json.loads(each.plan)),
                started=each.started,
                stopped=each.stopped,
                ended_arms=ended.get(each.name, {}),
            )
            for each in connection.execute(select(experiments).order_by(experiments.c.started))
        ]


def find_experiment(store: Store, name: str) -> Experiment:
    """Return one experiment; raises `ExperimentError` with the nearest name."""
    known = {each.name: each for each in read_experiments(store)}
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    raise ExperimentError(
        "there is no such experiment",
        expected=f"one of {', '.join(known)}" if known else "an experiment in this store",
        got=name,
        fix=f"did you mean {near[0]}?" if near else "headway experiment start",
    )


def _check_outcome(experiment: Experiment, served: Serving | None) -> None:
    """Raise `ExperimentError` for numbers that are to equal each other, or labels that are to have an error."""
    fitting = {"regress": "error", "classify": "accuracy"}.get(served.task, "") if served else ""
    if fitting and experiment.outcome not in {fitting, "value"}:
        raise ExperimentError(
            "this outcome does not fit what the model answers",
            where=experiment.model,
            expected=f"--outcome {fitting} or value",
            got=experiment.outcome,
        )


def _check_arms(experiment: Experiment, served: Mapping[str, Serving]) -> None:
    """Raise `ExperimentError` for an arm whose users would be refused, or answered what they do not expect."""
    for wrong in find_misfits(experiment, served)[:1]:
        arm = f"{wrong.arm.name} ({wrong.arm.package})"
        if wrong.what == "task":
            raise ExperimentError("an arm has another task than the model whose clients it gets", where=arm,
                                  expected=wrong.known[0], got=wrong.names[0])  # fmt: skip
        wider = wrong.arm.package
        what = {
            "columns": "an arm reads columns that the clients of the model need not send",
            "labels": "an arm answers labels that the clients of the model do not expect",
        }
        raise ExperimentError(
            what[wrong.what],
            where=arm,
            expected=f"only such as {experiment.model} has: {listed(wrong.known)}",
            got=listed(wrong.names),
            fix=f"divide the traffic of a model that has them all (--model {wider}), once clients ask for it",
        )


def _to_plan(experiment: Experiment) -> str:
    plan = dataclasses.asdict(experiment)
    return to_json({key: value for key, value in plan.items() if key not in {"started", "stopped", "ended_arms"}})


def _from_plan(plan: Mapping[str, Any]) -> Experiment:
    arms = tuple(Arm(**arm) for arm in plan["arms"])
    return Experiment(**{**plan, "arms": arms, "guardrails": Guardrails(**plan["guardrails"])})
