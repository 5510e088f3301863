"""A training whose loss is no longer a number."""

from __future__ import annotations

from headway.errors import TrainingError


def broken_off(loss: float, step: int, *, kept: str | None, got: str, fix: str) -> str:
    """Return what to tell where something was kept before step `step` (from 1); raise `TrainingError` where not.

    `kept`: what that is, such as "the best weights before that were kept", or None. `got`: the settings it broke with.
    """
    if kept is None:
        raise TrainingError(f"the loss became {loss} in step {step}", expected="a finite loss", got=got, fix=fix)
    return f"the loss was no number in step {step}; {kept}"
