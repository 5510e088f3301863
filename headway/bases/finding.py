"""Which base models a run may lean on: the one that is named, or one that lies on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path

from headway.bases.base import Base, BaseKind
from headway.bases.catalogue import CATALOGUE
from headway.bases.choosing import Demands, choose, find_fault, speaks
from headway.bases.hub import Tell, is_hub_id
from headway.bases.languages import find_language
from headway.bases.listing import Offer, list_offers
from headway.bases.opening import find_place, open_base
from headway.bases.tokenizing import share_over_window
from headway.errors import BaseModelError

AUTO, NONE = "auto", "none"
KIND_WORDS: Mapping[BaseKind, str] = {
    "text_encoder": "a text encoder",
    "image_encoder": "an image encoder",
    "decoder": "a decoder",
}
# From this share of cut texts on, the reader is told.
_NOTABLE = 0.02


@dataclass(frozen=True)
class Found:
    """The base models at hand, one of a kind; why the other kinds are absent; and what a user should know."""

    bases: Mapping[BaseKind, Base] = field(default_factory=dict)
    absent: Mapping[BaseKind, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def check_name(wanted: str, *, folder: Path) -> None:
    """Raise `BaseModelError` at once for a base that is no file, no known name and no id of a hub."""
    if wanted not in {AUTO, NONE} and not is_hub_id(wanted) and wanted.lower() not in {n.lower() for n in CATALOGUE}:
        find_place(wanted, folder=folder, fetch=False)


def find_bases(
    wanted: str, kinds: AbstractSet[BaseKind], demands: Demands, *, folder: Path, tell: Tell | None = None
) -> Found:
    """Find a base model of each of the `kinds`: the one `wanted` names, or with "auto" what lies on this machine.

    Relative paths start at `folder`. Nothing is opened where `kinds` is empty, and nothing is downloaded unless it is
    named; `tell` hears of a download. Raises `BaseModelError` where a named base cannot be used.
    """
    if wanted == NONE:
        return Found(absent=dict.fromkeys(kinds, "needs a base model, and the project says base: none"))
    if not kinds:
        return Found(remarks=() if wanted == AUTO else (f"no candidate needs the base {wanted}",))
    if wanted == AUTO:
        return _find_auto(kinds, demands)
    base = open_base(wanted, folder=folder, tell=tell, memory_mb=demands.memory_mb)
    needs = {kind: f"needs {KIND_WORDS[kind]}: the base {wanted} is of another kind" for kind in kinds - {base.kind}}
    told = (*_remarks(base, demands), *_over_limits(base, demands))
    return Found({base.kind: base} if base.kind in kinds else {}, needs, told)


def _find_auto(kinds: AbstractSet[BaseKind], demands: Demands) -> Found:
    """Choose one base of each kind among those on this machine; a broken one is told and passed over."""
    found = Found()
    offers = list_offers()
    for kind in sorted(kinds):
        found = _add(found, kind, offers, demands)
    return found


def _add(found: Found, kind: BaseKind, offers: Sequence[Offer], demands: Demands) -> Found:
    """Return what was found with the best base of one more kind, or with the reason why there is none."""
    choice = choose(offers, kind, demands)
    if choice.offer is None:
        remark = choice.reason or _none_here(kind, demands)
        absent = {**found.absent, kind: f"needs {KIND_WORDS[kind]}: there is none for it on this machine"}
        return Found(found.bases, absent, (*found.remarks, remark))
    try:
        base = open_base(choice.offer.name, fetch=False, memory_mb=demands.memory_mb)
    except BaseModelError as error:
        told = f"{choice.offer.name} is passed over: {error.problems[0].what}"
        others = [offer for offer in offers if offer != choice.offer]
        return _add(replace(found, remarks=(*found.remarks, told)), kind, others, demands)
    remarks = (*found.remarks, choice.reason, *_remarks(base, demands))
    return Found({**found.bases, kind: base}, found.absent, remarks)


def _over_limits(base: Base, demands: Demands) -> tuple[str, ...]:
    """Say for what `auto` would have left out an encoder that was named; it takes part all the same."""
    if base.kind == "decoder":
        return ()
    language = "" if base.kind == "image_encoder" else find_language(demands.texts)
    offer = Offer(
        base.name,
        base.kind,
        "ready",
        parameters=base.parameters,
        embedding_parameters=base.embedding_parameters,
        size_mb=base.size_mb,
    )
    fault = find_fault(offer, demands, language)
    return (f"{base.name} {fault}",) if fault else ()


def _none_here(kind: BaseKind, demands: Demands) -> str:
    """Say in one line that candidates stay out, and what would bring them in."""
    language = find_language(demands.texts)
    ours = [known for known in CATALOGUE.values() if known.kind == kind]
    fitting = [k.name for k in ours if language in k.languages] + [k.name for k in ours if "multi" in k.languages]
    if kind == "decoder" and not fitting:
        return "no base on this machine: candidates that need a decoder stay out; name one of your language with base:"
    name = (fitting or [known.name for known in ours])[0]
    return f"no base on this machine: candidates that need {KIND_WORDS[kind]} stay out; headway bases get {name}"


def _remarks(base: Base, demands: Demands) -> tuple[str, ...]:
    """Say what was settled to use a base, which texts it cuts, and that it may not know their language."""
    told = [f"base {base.name}: {note}" for note in base.notes]
    if base.kind != "text_encoder" or not demands.texts:
        return tuple(told)
    share = share_over_window(base, demands.texts)
    if share >= _NOTABLE:
        told.append(f"{share:.0%} of the texts are longer than the {base.max_length} tokens that {base.name} reads")
    language = find_language(demands.texts)
    if base.languages and not speaks(Offer(base.name, base.kind, "ready", base.languages), language):
        told.append(f"base {base.name} was made for other languages ({', '.join(base.languages)}) than these texts")
    return tuple(told)


def reopen(
    names: Mapping[BaseKind, tuple[str, str]],
    absent: Mapping[BaseKind, str],
    remarks: Sequence[str],
    *,
    folder: Path,
) -> Found:
    """Open the bases of an earlier attempt again, by kind: its name and digest.

    Raises `BaseModelError` where one is gone, or is not what it was.
    """
    bases = {kind: open_base(name, folder=folder) for kind, (name, _) in names.items()}
    for kind, base in bases.items():
        if base.digest != names[kind][1]:
            raise BaseModelError(
                f"the base {base.name} is not what it was when this run began",
                where=str(base.folder),
                expected=f"digest {names[kind][1]}",
                got=f"digest {base.digest}",
                fix="start a new run, or put the model back",
            )
    return Found(bases, absent, tuple(remarks))
