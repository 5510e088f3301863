"""Columns that a model reads and that rows do not have: which they are, and what may stand there in their place."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from headway.errors import InputError

# So many names are told of what was found.
_SHOWN = 20
# A Chinese name of two characters with one of them wrong is half the same.
_NEAR = 0.5


def missing_column(name: str, names: Iterable[str]) -> InputError:
    """Return the error for a column that is needed and not among `names`."""
    return missing_columns((name,), names)


def missing_columns(wanted: Sequence[str], names: Iterable[str]) -> InputError:
    """Return the error for those of the columns `wanted` that are not among `names`, with what each may be called."""
    given = [str(name) for name in names]
    missing = [name for name in wanted if name not in given]
    near = nearest_names(missing, [name for name in given if name not in wanted])
    listed = ", ".join(map(repr, missing))
    one = len(missing) == 1
    return InputError(
        f"the column {listed} is missing" if one else f"the columns {listed} are missing",
        expected=f"a column named {listed}" if one else f"columns named {listed}",
        got=_told(given),
        fix=_next_step(missing, near, is_stranger=len(wanted) > 1 and len(missing) == len(wanted)),
    )


def nearest_names(missing: Sequence[str], spare: Sequence[str]) -> dict[str, str]:
    """Return for missing names which of the `spare` ones is probably meant; each of these is taken once.

    Case, width, blanks and marks such as `_` and `-` count for nothing.
    """
    left = {plain: name for name in reversed(spare) if (plain := _plain(name))}
    found: dict[str, str] = {}
    for name in missing:
        if _plain(name) in left:
            found[name] = left.pop(_plain(name))
    for name in missing:
        near = difflib.get_close_matches(_plain(name), left, n=1, cutoff=_NEAR) if name not in found else []
        if near:
            found[name] = left.pop(near[0])
    return {name: found[name] for name in missing if name in found}


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).casefold()


def _told(given: Sequence[str]) -> str:
    if not given:
        return "no columns"
    shown = "the columns " + ", ".join(map(repr, given[:_SHOWN]))
    return shown if len(given) <= _SHOWN else f"{shown} and {len(given) - _SHOWN} more"


def _next_step(missing: Sequence[str], near: dict[str, str], *, is_stranger: bool) -> str:
    """Return what to do: rename what is nearly the same, and add the rest."""
    if len(missing) == len(near) == 1:
        return f"did you mean {near[missing[0]]!r}? Rename it to {missing[0]!r}"
    renamed = ", ".join(f"{there!r} → {name!r}" for name, there in near.items())
    lacking = [name for name in missing if name not in near]
    if not lacking:
        return f"did you mean these? Rename: {renamed}"
    if is_stranger and not near:
        return "do these rows belong to this model? None of the columns that it reads is there"
    listed = ", ".join(map(repr, lacking))
    added = f"add {listed}, or rename what holds it under another name; cells may be empty where nothing is known"
    return f"rename: {renamed}; {added}" if near else added
