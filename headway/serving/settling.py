"""How one worker's work is best spread, measured while it answers already, and every package brought to that."""

from __future__ import annotations

import asyncio
from pathlib import Path

from uvicorn.server import ServerState

from headway.runtime import Model, load
from headway.runtime.session import cores
from headway.serving import memory
from headway.serving.deployments import Deployment, Registry, deploy_model, unheard
from headway.serving.limits import Limits
from headway.serving.listening import make_connect
from headway.serving.opening import Opener
from headway.serving.pace import example_row
from headway.serving.planning import Plan, choose_plan, thread_choices
from headway.serving.rehearsal import rehearse
from headway.serving.service import Service

# Requests that are played to see what one costs beside the model.
_ROUNDS = 40


async def settle(service: Service, opener: Opener) -> Plan:
    """Return the processes and threads that are best for the first package, and give every package those threads.

    What cannot be measured leaves everything as it is.
    """
    try:
        if service.writers or service.painters:  # what is written together shares the reading of the weights
            return Plan(opener.settings.workers or 1, opener.threads, 0.0)
        seconds = await play_through(service, rounds=_ROUNDS)
        plan = await asyncio.to_thread(_plan, service, opener, seconds)
        for deployment in await asyncio.to_thread(_follow, service, opener, plan.threads):
            service.put(deployment)
    except Exception as error:  # noqa: BLE001 - what answers goes on answering, if not in the best way
        opener.log.write("not_measured", error=f"{type(error).__name__}: {error}"[:500])
        return Plan(max(1, opener.settings.workers), opener.threads, 0.0)
    return plan


async def play_through(service: Service, *, rounds: int) -> float:
    """Return the seconds of one request to the first package, behind the scenes."""
    first = unheard(_first(service), service.limits)
    hidden = Service(Registry(), limits=service.limits)
    hidden.put(first)
    connect = make_connect(hidden, service.limits, ServerState())
    return await rehearse(connect, example_row(first.model), rounds=rounds)


def _first(service: Service) -> Deployment:
    """Return the package that answers where none is named."""
    return service.registry.get(service.registry.find(None))


def _plan(service: Service, opener: Opener, seconds: float) -> Plan:
    """Choose processes and threads; opens the first package again with fewer threads to compare.

    That takes no more memory than the process would that it may lead to; where there is none, nothing is compared.
    """
    settings, available = opener.settings, cores()
    if settings.threads:
        return Plan(settings.workers or max(1, available // settings.threads), settings.threads, 0.0)
    choices = thread_choices(available, workers=settings.workers, memory=memory.taken(), free=memory.left())
    if len(choices) == 1:
        return Plan(settings.workers or 1, choices[0], 0.0)
    first, path = _first(service), Path(settings.packages[0].path)
    models = {each: first.model if each == opener.threads else load(path, threads=each) for each in choices}
    beside = max(2e-5, seconds - first.pace.of(1, first.pace.row_items))
    plan, plans = choose_plan(models, [example_row(first.model)], http_seconds=beside, cores=available,
                              workers=settings.workers, most_rows=_batch(first, settings.limits))  # fmt: skip
    opener.log.write("measured", plans=[vars(each) for each in plans])
    return plan


def _batch(first: Deployment, limits: Limits) -> int:
    """Return the rows of a batch that takes as long as one may."""
    fitting = (limits.batch_seconds - first.pace.call) / max(1e-9, first.pace.item * first.pace.row_items)
    return max(1, min(limits.batch_rows, int(fitting)))


def _follow(service: Service, opener: Opener, threads: int) -> list[Deployment]:
    """Return all packages with these threads, and with their pace measured well."""
    opened: list[tuple[str | None, Model, Path | None]]
    if threads != opener.threads:
        opener.threads = threads
        paths = [(each.name, Path(each.path)) for each in opener.settings.packages]
        opened = [(name, load(path, threads=threads), path) for name, path in paths]
    else:
        opened = [(key, each.model, each.path) for key, each in service.registry if key == each.name]
    limits, on_batch = opener.settings.limits, opener.telemetry.batch
    return [deploy_model(model, name=name, limits=limits, on_batch=on_batch, path=path) for name, model, path in opened]
