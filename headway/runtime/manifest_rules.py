"""What must hold between the parts of a manifest."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from headway.errors import PackageError
from headway.runtime.manifest import CharacterFeed, Feed, ImageFeed, Manifest, TokenFeed

_HASH = re.compile(r"[0-9a-f]{64}")
_ROLES = {"system", "user", "assistant"}
_RESERVED = re.compile(r'[<>:"|?*\\\x00-\x1f]')


def check_manifest(manifest: Manifest) -> None:
    """Raise `PackageError` that lists everything in the manifest that contradicts itself."""
    parts = (_columns, _generation if manifest.task == "generate" else _feeds, _labels, _decision, _files)
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
    for feed in manifest.feeds:
        for column in feed.columns:
            if column not in known:
                yield f"the feed {feed.name!r} reads {column!r}, which is not among the inputs"
        if not feed.columns:
            yield f"the feed {feed.name!r} reads no column"
        yield from _limits(feed, manifest)


def _limits(feed: Feed, manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the figures of one feed."""
    if isinstance(feed, CharacterFeed | TokenFeed) and not 1 <= feed.max_length <= 1_000_000:
        yield f"the feed {feed.name!r} has a max_length of {feed.max_length}"
    if isinstance(feed, TokenFeed) and feed.tokenizer not in manifest.files:
        yield f"the feed {feed.name!r} needs the file {feed.tokenizer!r}, which is not listed"
    if isinstance(feed, ImageFeed) and not (1 <= feed.width <= 4096 and 1 <= feed.height <= 4096):
        yield f"the feed {feed.name!r} has images of {feed.width} x {feed.height} pixels"


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


def _files(manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the list of files."""
    for name, digest in manifest.files.items():
        if not is_safe_name(name) or name == "manifest.json":
            yield f"the file name {name[:80]!r} is not allowed"
        if not _HASH.fullmatch(digest):
            yield f"the sha256 of {name[:80]!r} is not one"
