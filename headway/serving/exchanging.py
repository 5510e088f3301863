"""One worker's part in exchanging a package: it opens and proves the new one beside the others, then switches."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from headway.errors import HeadwayError, PackageError, Problem
from headway.serving.deployments import Deployment
from headway.serving.naming import does, name_of
from headway.serving.opening import Opened, Opener, put, replaced_by, retire
from headway.serving.refusals import no_room, not_released
from headway.serving.service import Service
from headway.serving.settings import Package

Tell = Callable[[Mapping[str, Any]], None]


class Exchange:
    """Follows the supervisor's orders `load`, `switch`, `forget` and `deployed`, and asks it for an exchange."""

    def __init__(self, service: Service, opener: Opener, tell: Tell, *, settled: asyncio.Event) -> None:
        """Exchange packages of `service`; `tell` reaches the supervisor, and nothing is opened before `settled`."""
        self._service, self._opener, self._tell, self._settled = service, opener, tell, settled
        self._loaded: dict[int, Opened] = {}
        self._asked: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._tokens = itertools.count()

    def obey(self, order: Mapping[str, Any]) -> None:
        """Do what an order says; opening goes on in the background."""
        if order["do"] == "load":
            self._service.background(self._load(order))
        elif order["do"] == "switch":
            put(self._service, self._loaded.pop(order["id"]), swapped=True)
            self._tell({"did": "switch", "id": order["id"]})
        elif order["do"] == "forget":
            self._forget(order["id"])
        elif order["do"] == "deployed" and order["token"] in self._asked:
            self._asked.pop(order["token"]).set_result(order)

    async def ask(self, wish: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask the supervisor to deploy a package in all workers; return what was found."""
        token = next(self._tokens)
        self._asked[token] = asyncio.get_running_loop().create_future()
        self._tell({"ask": "deploy", "token": token, **wish})
        answer = await self._asked[token]
        problem = answer.get("problem") or {}
        if "full" in problem:
            raise no_room(self._service.folder or Path(), None, OSError(0, problem["full"]))
        if "error" in answer:
            raise not_released(Problem(**problem) if problem else Problem(str(answer["error"])))
        found: Mapping[str, Any] = answer["found"]
        return found

    async def _load(self, order: Mapping[str, Any]) -> None:
        """Open, warm up and check a package beside the running ones."""
        await self._settled.wait()
        try:
            found = await asyncio.to_thread(self._check, order)
        except OSError as error:  # what the workers share cannot be written
            problem = {"full": error.strerror or str(error)}
            self._tell({"did": "load", "id": order["id"], "error": str(error), "problem": problem})
        except HeadwayError as error:
            # The file lies where nobody has put it: its path says nothing to anybody.
            found_wrong = replace(error.problems[0], where=error.problems[0].where.replace(order["path"], ""))
            problem = asdict(found_wrong)
            self._tell({"did": "load", "id": order["id"], "error": str(found_wrong), "problem": problem})
        except Exception as error:  # noqa: BLE001 - a package is a stranger; the service goes on without it
            self._tell({"did": "load", "id": order["id"], "error": f"{type(error).__name__}: {error}"[:500]})
        else:
            self._tell({"did": "load", "id": order["id"], "found": found})

    def _check(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Open the package, keep it for the switch, and return what was found of it; raises `PackageError`."""
        self._check_name(order["name"] or name_of(order["path"]), does(order["path"]))
        opened = self._opener.open(Package(order["name"], order["path"]))
        current = replaced_by(self._service, opened)
        found: dict[str, Any] = {}
        if isinstance(opened, Deployment):
            found = _judge(opened, None if order["force"] or not isinstance(current, Deployment) else current)
        try:
            self._service.number_of(opened)  # finds a full disk now, and not in the midst of the switch
        except OSError:
            retire(opened)
            raise
        self._loaded[order["id"]] = opened
        return {**found, "name": opened.name, "version": opened.version,
                "replaces": None if current is None else current.version}  # fmt: skip

    def _check_name(self, name: str, kind: str) -> None:
        """Raise `PackageError` where a package would take the name of one that does something else."""
        served = {"predicts": self._service.registry.keys(), "writes text": self._service.writers,
                  "draws pictures": self._service.painters}  # fmt: skip
        for other, names in served.items():
            if name in names and other != kind:
                raise PackageError(f"a package of this name {other}, and the new one {kind}", got=name,
                                   fix="give the new one another name (--name)")  # fmt: skip

    def _forget(self, number: int) -> None:
        """Let go of a package that was opened and is not to be served."""
        forgotten = self._loaded.pop(number, None)
        if forgotten is not None:
            retire(forgotten)


def _judge(opened: Deployment, current: Deployment | None) -> dict[str, Any]:
    """Return what the release check finds of a package that predicts, and what one row takes; raises `PackageError`."""
    from headway.serving.release import check_release

    found = check_release(opened.model, None if current is None else current.model.manifest)
    seconds = opened.pace.of(1, opened.pace.row_items)
    return {**found, "row_ms": round(seconds * 1000, 3)}
