"""What the columns that tell of the past are called."""

from __future__ import annotations

from headway.runtime.manifest import History

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def feature_names(history: History, target: str) -> tuple[str, ...]:
    """Return the names of all columns, in the order in which `headway.runtime.history.timelines` gives them."""
    own = tuple(f"{history.time}: {part}" for part in ("night", "weekend"))
    return own + tuple(name for key in history.keys for name in key_names(history, key, target))


def key_names(history: History, key: str, target: str) -> tuple[str, ...]:
    """Return the names of the columns of one key."""
    names = []
    for window in history.windows:
        span = write_span(window)
        names.append(f"{key}: rows in {span}")
        for value in history.values:
            names.append(f"{key}: mean {value} in {span}")
            names += [f"{key}: {value} {how} its mean in {span}" for how in ("by", "in deviations from")]
        if history.delay is not None:
            share = target if history.event is None else f"{target}={history.event}"
            late = f"{span} up to {write_span(history.delay)} ago"
            names += [f"{key}: known rows in {late}", f"{key}: mean {share} in {late}"]
    return (*names, f"{key}: days since last")


def write_span(seconds: float) -> str:
    """Return seconds as a person would write them: `7d`, `12h`, `1.5s`."""
    return next((f"{seconds / unit:g}{name}" for name, unit in _UNITS if seconds % unit == 0), f"{seconds:g}s")
