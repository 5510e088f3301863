"""`headway experiment`: several packages behind one name, compared in production."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from headway.cli.messages import Language, choose_language
from headway.errors import ExperimentError

if TYPE_CHECKING:
    from headway.serving.experiments.plan import Arm, Experiment, Outcome
    from headway.serving.store.opening import Store

experiment = typer.Typer(help="Compare packages on real traffic: start, list, report, stop.", no_args_is_help=True)

_Store = Annotated[
    str, typer.Option("--store", help="sqlite:///FILE or postgresql://USER@HOST/NAME, as the server has it.")
]
_Lang = Annotated[str | None, typer.Option("--lang", help="Language of what is said: en or zh.")]
_Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The experiment.")]
_USUAL = "sqlite:///headway.db"


@experiment.command()
def start(
    name: _Name,
    model: Annotated[str, typer.Option(help="The served name whose traffic is divided.")],
    arm: Annotated[
        list[str],
        typer.Option(help="NAME=PACKAGE[:WEIGHT], PACKAGE as it is served; the first is the control. Repeat it."),
    ],
    *,
    shadow: Annotated[
        str | None, typer.Option(help="NAME=PACKAGE that answers too, for the record only, never for the user.")
    ] = None,
    outcome: Annotated[
        str,
        typer.Option(
            help="accuracy (feedback is the true label), error (the true number) or value (what the answer was worth)."
        ),
    ] = "accuracy",
    effect: Annotated[
        str | None, typer.Option(help="The smallest difference worth finding, where the test is sharpest: 2% or 0.02.")
    ] = None,
    alpha: Annotated[str, typer.Option(help="False-alarm rate over all looks and arms.")] = "5%",
    window: Annotated[
        str, typer.Option(help="A user counts by the mean over this time from the first request.")
    ] = "1d",
    errors: Annotated[str, typer.Option(help="Stop an arm that fails so much more often than the control.")] = "1%",
    slower: Annotated[float, typer.Option(help="Stop an arm that takes so many times as long as the control.")] = 1.5,
    latency: Annotated[
        str | None, typer.Option(help="Stop an arm of whose requests more than 5% take longer, such as 50ms.")
    ] = None,
    store: _Store = _USUAL,
    lang: _Lang = None,
) -> None:
    """Divide the traffic of a model among packages from now on; every server that uses the store follows."""
    from headway.serving.experiments.keeping import start_experiment
    from headway.serving.experiments.plan import Experiment, Guardrails
    from headway.serving.store.opening import open_store

    language = choose_language(lang)
    arms = [read_arm(each) for each in arm] + ([read_arm(shadow, shadow=True)] if shadow else [])
    plan = Experiment(
        name,
        model,
        tuple(arms),
        outcome=_read_outcome(outcome),
        effect=None if effect is None else _read(effect, "share", "--effect"),
        alpha=_read(alpha, "share", "--alpha"),
        window=_read(window, "seconds", "--window"),
        guardrails=Guardrails(
            _read(errors, "share", "--errors"),
            slower,
            None if latency is None else _read(latency, "milliseconds", "--latency"),
        ),
    )
    # A server makes its store: one that is not there is another than the server's.
    opened = open_store(store, create=False)
    started = start_experiment(opened, plan)
    shares = ", ".join(f"{each.name} {_share(started, each)}" for each in started.arms)
    missing = _tell_idle(opened, started, store, language)
    begun = ("已登记" if missing else "已开始") if language == "zh" else ("is written down" if missing else "runs")
    typer.echo(f"{name} {begun}：{shares}" if language == "zh" else f"{name} {begun}: {shares}")
    for words in missing:
        typer.echo(f"! {words}")
    after = f"headway experiment report {name}" + ("" if store == _USUAL else f" --store {store}")
    typer.echo(f"  {'下一步' if language == 'zh' else 'next'}: {after}")


@experiment.command()
def stop(name: _Name, *, store: _Store = _USUAL, lang: _Lang = None) -> None:
    """End an experiment; everybody gets the model's usual package again. What was recorded stays."""
    from headway.serving.experiments.keeping import stop_experiment
    from headway.serving.store.opening import open_store

    stopped = stop_experiment(open_store(store, create=False), name)
    said = "已停止" if choose_language(lang) == "zh" else "is stopped"
    typer.echo(f"{stopped.name} {said}")


@experiment.command("list")
def list_all(*, store: _Store = _USUAL, as_json: _Json = False, lang: _Lang = None) -> None:
    """List all experiments, the oldest first."""
    from headway.serving.experiments.keeping import read_experiments
    from headway.serving.store.opening import open_store

    language = choose_language(lang)
    known = read_experiments(open_store(store, create=False))
    if as_json:
        plain = [{"name": each.name, "model": each.model, "running": each.running} for each in known]
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    for each in known:
        typer.echo(f"{each.name}  {each.model}  {_word(each.running, language)}")
    if not known:
        typer.echo("没有实验" if language == "zh" else "no experiments")


@experiment.command()
def report(name: _Name, *, store: _Store = _USUAL, as_json: _Json = False, lang: _Lang = None) -> None:
    """Report difference, interval and test of every arm; valid however often you look."""
    from headway.serving.experiments.fitting import find_misfits
    from headway.serving.experiments.judging import judge
    from headway.serving.experiments.keeping import find_experiment, find_missing
    from headway.serving.experiments.outcomes import read_outcomes
    from headway.serving.experiments.wording import describe_report, tell_report
    from headway.serving.store.opening import open_store
    from headway.serving.store.serving import read_serving

    opened, now, language = open_store(store, create=False), time.time(), choose_language(lang)
    found = find_experiment(opened, name)
    outcomes = read_outcomes(opened, found, now=now)
    judgement = judge(found, outcomes.units, now=found.stopped or now)
    if as_json:
        plain = describe_report(found, judgement, outcomes, language=language)
        served = read_serving(opened) if found.running else {}
        plain["not_served"] = find_missing(found, served) if found.running else []
        plain["misfits"] = [dataclasses.asdict(each) for each in find_misfits(found, served)]
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    for line in tell_report(found, judgement, outcomes, now=now, language=language):
        typer.echo(line)
    for words in _tell_idle(opened, found, store, language) if found.running else ():
        typer.echo(f"! {words}")


def read_arm(text: str, *, shadow: bool = False) -> Arm:
    """Return the arm that `NAME=PACKAGE[:WEIGHT]` describes; raises `ExperimentError`."""
    from headway.serving.experiments.plan import Arm

    name, equals, rest = text.partition("=")
    package, colon, weight = rest.rpartition(":")
    try:
        share = float(weight) if colon else 1.0
    except ValueError:
        package, share = rest, 1.0
    if not colon:
        package = rest
    if not (name and equals and package):
        raise ExperimentError("this describes no arm", expected="NAME=PACKAGE or NAME=PACKAGE:WEIGHT", got=text)
    return Arm(name, package, share, shadow)


def _tell_idle(opened: Store, plan: Experiment, store: str, language: Language) -> list[str]:
    """Return why an experiment, or an arm of it, has no effect; nothing where servers follow it."""
    from headway.serving.experiments.fitting import find_misfits
    from headway.serving.experiments.keeping import find_missing
    from headway.serving.experiments.wording import tell_misfits, tell_missing
    from headway.serving.store.serving import read_serving

    served = read_serving(opened)
    missing = find_missing(plan, served)
    told = tell_missing(missing, served=bool(served), store=store, language=language) if missing else ""
    return [each for each in (told, tell_misfits(find_misfits(plan, served), language)) if each]


def _read_outcome(text: str) -> Outcome:
    from headway.serving.experiments.plan import Outcome

    found: Outcome | None = next((known for known in get_args(Outcome) if known == text), None)
    if found is None:
        raise ExperimentError("this is no outcome", where="--outcome", expected="accuracy, value or error", got=text)
    return found


def _read(text: str, unit: Literal["share", "seconds", "milliseconds"], option: str) -> float:
    """Return `5%`, `1d`, `50ms` or a plain number."""
    from headway.project.units import read_milliseconds, read_seconds, read_share

    try:
        return float(text)
    except ValueError:
        pass
    try:
        readers = {"share": read_share, "seconds": read_seconds, "milliseconds": read_milliseconds}
        return float(str(readers[unit](text)))
    except ValueError as error:
        raise ExperimentError("this cannot be read", where=option, expected=str(error), got=text) from error


def _share(plan: Experiment, arm: Arm) -> str:
    if arm.shadow:
        return "(shadow)"
    return f"{arm.weight / sum(each.weight for each in plan.arms if not each.shadow):.0%}"


def _word(running: bool, language: Language) -> str:
    words = {True: ("running", "进行中"), False: ("stopped", "已停止")}[running]
    return words[1] if language == "zh" else words[0]
