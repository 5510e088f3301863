"""What must hold between the parts of a manifest."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from headway.errors import PackageError
from headway.runtime.history.naming import feature_names
from headway.runtime.history.storing import FILE
from headway.runtime.manifest import CharacterFeed, Feed, History, ImageFeed, Manifest, RowFeed, TokenFeed

_HASH = re.compile(r"[0-9a-f]{64}")
_ROLES = {"system", "user", "assistant"}
# What a history may have of each; more is a mistake, or an attack on memory.
_MOST_KEYS, _MOST_VALUES, _MOST_WINDOWS = 20, 50, 20
_LONGEST_WINDOW = 100 * 365 * 86_400
_RESERVED = re.compile(r'[<>:"|?*\\\x00-\x1f]')


def check_manifest(manifest: Manifest) -> None:
    """Raise `PackageError` that lists everything in the manifest that contradicts itself."""
    parts = (
        _columns,
        _generation if manifest.task == "generate" else _feeds,
        _targets,
        *([] if manifest.targets else [_labels]),
        _decision,
        _history,
        _files,
    )
    wrong = [text for part in parts for text in part(manifest)]
    if wrong:
        raise PackageError("the manifest contradicts itself", where="manifest.json", got="; ".join(wrong[:20]))


def is_safe_name(name: str) -> bool:
    """Tell whether a file name stays inside its package on every system: relative, "/" only, nothing climbing."""
    parts = name.split("/")
    return bool(name) and len(name) < 256 and not _RESERVED.search(name) and not {"", ".", ".."} & set(parts)


def _columns(manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the input columns."""
    names = [column.name for column in manifest.inputs]
    if len(set(names)) != len(names):
        yield "two inputs have the same name"


def _generation(manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with how text is written."""
    facts = manifest.generation
    if manifest.image_generation is not None:
        yield from _image_generation(manifest)
        return
    if facts is None:
        yield "it generates but does not say how: there is neither generation nor image_generation"
        return
    if manifest.feeds or manifest.labels:
        yield "it writes text and has feeds or labels all the same"
    if not 1 <= facts.window <= 1_000_000:
        yield f"the window has {facts.window} tokens"
    if any(not 0 <= each < 2**31 for each in (*facts.end_ids, facts.begin_id or 0)):
        yield "an id of a token is not one"
    if any(not 1 <= length <= 1000 for length in facts.lines):
        yield f"its lines of verse have {', '.join(map(str, facts.lines))[:200]} characters"
    if facts.tokenizer not in manifest.files:
        yield f"it needs the file {facts.tokenizer!r}, which is not listed"
    if facts.chat is not None and not {"user", "assistant"} <= set(facts.chat.roles) <= _ROLES:
        yield f"the conversation has the roles {', '.join(map(repr, facts.chat.roles))[:200]}"


def _image_generation(manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with how pictures are drawn."""
    facts = manifest.image_generation
    assert facts is not None
    if manifest.generation is not None:
        yield "it both writes text and draws pictures"
    if manifest.feeds or manifest.inputs:
        yield "it draws pictures and has inputs or feeds all the same"
    if not (1 <= facts.width <= 4096 and 1 <= facts.height <= 4096):
        yield f"it draws pictures of {facts.width} x {facts.height} pixels"
    if not 1 <= facts.noise <= 65_536:
        yield f"a picture is drawn from {facts.noise} numbers"
    if len(facts.shares) != len(manifest.labels):
        yield f"there are {len(manifest.labels)} labels and {len(facts.shares)} shares of them"
    if any(not 0 <= share <= 1 for share in facts.shares) or (facts.shares and abs(sum(facts.shares) - 1) > 1e-3):
        yield "the shares of the labels do not sum to 1"


def _feeds(manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the feeds."""
    names = [feed.name for feed in manifest.feeds]
    if len(set(names)) != len(names):
        yield "two feeds have the same name"
    if not names:
        yield "there is no feed"
    if manifest.generation is not None or manifest.image_generation is not None:
        yield f"the task is {manifest.task} and there is a generation"
    known = {column.name for column in manifest.inputs}
    if manifest.history is not None:
        known |= set(feature_names(manifest.history, manifest.target))
    for feed in manifest.feeds:
        for column in feed.columns:
            if column not in known:
                yield f"the feed {feed.name!r} reads {column!r}, which is not among the inputs"
        if not feed.columns:
            yield f"the feed {feed.name!r} reads no column"
        yield from _limits(feed, manifest)


def _limits(feed: Feed, manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the figures of one feed."""
    if isinstance(feed, CharacterFeed | TokenFeed | RowFeed) and not 1 <= feed.max_length <= 1_000_000:
        yield f"the feed {feed.name!r} has a max_length of {feed.max_length}"
    if isinstance(feed, TokenFeed | RowFeed) and feed.tokenizer not in manifest.files:
        yield f"the feed {feed.name!r} needs the file {feed.tokenizer!r}, which is not listed"
    if isinstance(feed, RowFeed) and len(feed.kinds) != len(feed.columns):
        yield f"the feed {feed.name!r} does not say how each of its columns is read"
    if isinstance(feed, RowFeed) and not 1 <= feed.digits <= 9:
        yield f"the feed {feed.name!r} writes numbers with {feed.digits} digits"
    if isinstance(feed, ImageFeed) and not (1 <= feed.width <= 4096 and 1 <= feed.height <= 4096):
        yield f"the feed {feed.name!r} has images of {feed.width} x {feed.height} pixels"


def _targets(manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with several targets."""
    if (manifest.task == "several") != bool(manifest.targets):
        yield f"the task is {manifest.task} and there are {len(manifest.targets)} targets"
    if not manifest.targets:
        return
    names = [each.name for each in manifest.targets]
    if len(set(names)) != len(names):
        yield "two targets have the same name"
    if not all(names):
        yield "a target has no name"
    if manifest.labels or manifest.threshold is not None or manifest.costs is not None:
        yield "it has several targets, and labels, a threshold or costs that belong to none of them"
    for part in manifest.parts:
        yield from (f"of {part.target[:80]!r}: {wrong}" for wrong in _labels(part))


def _labels(manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the labels."""
    if manifest.task == "regress" and manifest.labels:
        yield "a regression has labels"
    if manifest.task == "classify" and not manifest.labels:
        yield "a classification has no labels"
    if len(set(manifest.labels)) != len(manifest.labels):
        yield "two labels are equal"
    if any(isinstance(label, float) and not math.isfinite(label) for label in manifest.labels):
        yield "a label is not a finite number"


def _decision(manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with threshold and costs."""
    if manifest.threshold is not None:
        label, threshold = manifest.threshold
        if label not in manifest.labels:
            yield f"the threshold is for {label!r}, which is not a label"
        if not 0 <= threshold <= 1:
            yield f"the threshold is {threshold}"
    if manifest.costs is not None:
        size = len(manifest.labels)
        if len(manifest.costs) != size or any(len(row) != size for row in manifest.costs):
            yield f"the costs are not a table of {size} by {size}"
        if not all(math.isfinite(cost) for row in manifest.costs for cost in row):
            yield "a cost is not a finite number"


def _history(manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with what is told of the past."""
    history = manifest.history
    if history is None:
        return
    inputs = {column.name for column in manifest.inputs}
    for column in (history.time, *history.keys, *history.values):
        if column not in inputs:
            yield f"the history reads {column[:80]!r}, which is not among the inputs"
    told = {"keys": (history.keys, 1, _MOST_KEYS), "values": (history.values, 0, _MOST_VALUES)}
    for name, (columns, least, most) in told.items():
        if not least <= len(columns) <= most or len(set(columns)) != len(columns):
            yield f"the history has {len(columns)} {name}, or one of them twice"
    spans = (*history.windows, *(() if history.delay is None else (history.delay,)))
    if not 1 <= len(history.windows) <= _MOST_WINDOWS or not all(0 < span <= _LONGEST_WINDOW for span in spans):
        yield "the history has windows or a delay that are no spans of time"
    yield from _past(history, manifest)


def _past(history: History, manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the rows of the past that are kept."""
    if len(history.scales) != len(history.values) + 1 or any(abs(scale) > 600 for scale in history.scales):
        yield "the history does not say how its values are summed"
    if len(history.distinct) != len(history.keys) or not 0 <= history.events < 2**32:
        yield "the history does not say how many rows and keys it has"
    if any(not 0 <= count <= history.events for count in history.distinct):
        yield "the history has more keys than rows"
    if any(moment is not None and not abs(moment) < 1e11 for moment in (history.since, history.until)):
        yield "the history begins or ends at no point in time"
    if history.event is not None and history.event not in manifest.labels:
        yield f"the history counts {history.event!r}, which is not a label"
    if FILE not in manifest.files:
        yield f"it needs the file {FILE!r}, which is not listed"


def _files(manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the list of files."""
    for name, digest in manifest.files.items():
        if not is_safe_name(name) or name == "manifest.json":
            yield f"the file name {name[:80]!r} is not allowed"
        if not _HASH.fullmatch(digest):
            yield f"the sha256 of {name[:80]!r} is not one"
