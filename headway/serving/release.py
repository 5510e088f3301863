"""Whether a package may take another's place: it opens, answers sensibly, and is no worse than what it replaces."""

from __future__ import annotations

import numpy as np

from headway.errors import PackageError
from headway.evaluation.metrics import greater_is_better
from headway.package.parity import TOLERANCE
from headway.runtime import Model
from headway.runtime.manifest import Manifest
from headway.serving.deployments import answered_by
from headway.serving.pace import example_row


def check_release(new: Model, current: Manifest | None) -> dict[str, object]:
    """Return what was found; raises `PackageError` with figures where the package must not be released.

    It must answer its example with finite numbers, alike alone and among others. Beside `current`, the one it replaces,
    it must read no column that clients do not send yet, answer the same labels, and its leading metric on its own test
    part must not lie on the bad side of the current one's interval.
    """
    found: dict[str, object] = {"parity": _check_answers(new)}
    if current is not None:
        _check_contract(new.manifest, current)
        found.update(_check_score(new.manifest, current))
    return found


def _check_answers(model: Model) -> float:
    """Return how far an answer among others is from the answer alone; raises where it is too far or no answer."""
    row = example_row(model)
    others = [dict.fromkeys(row), row, row, dict.fromkeys(row)]
    alone = _numbers(model, [row])
    among = _numbers(model, others)[1:2]
    if not np.isfinite(alone).all():
        raise PackageError("the package answers its own example with numbers that are not finite")
    away = float(np.abs(alone - among).max(initial=0.0))
    scale = max(1.0, float(np.abs(alone).max(initial=0.0)))
    if away > TOLERANCE * scale:
        raise PackageError(
            "the package answers a row alone and among others differently", expected=f"within {TOLERANCE:g}",
            got=f"{away:.2g} apart",
        )  # fmt: skip
    return away


def _numbers(model: Model, rows: list[dict[str, object]]) -> np.ndarray:
    columns = {name: [row[name] for row in rows] for name in model.columns}
    return model.predictor.run(model.remember(columns, strict=False), strict=False)


def _check_contract(new: Manifest, current: Manifest) -> None:
    """Raise where clients of the current package would not understand the new one."""
    if new.task != current.task:
        raise PackageError("the package has another task", expected=current.task, got=new.task,
                           fix="deploy it with --force once clients know")  # fmt: skip
    more = {column.name for column in new.inputs} - {column.name for column in current.inputs}
    if more:
        names = ", ".join(sorted(map(repr, more)))
        raise PackageError("the package reads columns that clients do not send yet", got=names,
                           fix="deploy it with --force once clients send them")  # fmt: skip
    if different := set(answered_by(new)) ^ set(answered_by(current)):
        lost = sorted(different)[:10]
        raise PackageError("the package answers other labels", got="only in one: " + ", ".join(lost),
                           fix="deploy it with --force once clients know")  # fmt: skip


def _check_score(new: Manifest, current: Manifest) -> dict[str, object]:
    """Return the leading metric of both packages; raises where the new one is worse beyond chance.

    Only the first metric with an interval is judged: of a dozen, one would fall outside by chance too often.
    """
    name = next((name for name in current.metrics if name in new.metrics and name in current.intervals), None)
    if name is None:
        return {}
    before, now, (low, high) = current.metrics[name], new.metrics[name], current.intervals[name]
    if now < low if greater_is_better(name) else now > high:
        raise PackageError(
            f"the package is worse than the one it replaces: {name}",
            expected=f"no worse than {before:.4g} (95% interval {low:.4g} to {high:.4g})",
            got=f"{now:.4g}",
            fix="deploy it with --force to release it all the same",
        )
    return {"metric": name, "before": before, "now": now}
