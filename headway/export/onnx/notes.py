"""The note beside a plain graph: what it reads, what it answers, and what its caller must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from headway.export.packed import Packed
from headway.export.words import Language, say
from headway.runtime.archive import MODEL
from headway.runtime.manifest import (
    CategoryFeed,
    CharacterFeed,
    DateFeed,
    Feed,
    ImageFeed,
    Manifest,
    NumberFeed,
    RowFeed,
    TokenFeed,
)
from headway.runtime.session import input_names


@dataclass(frozen=True)
class Tensor:
    """One input or output of a graph: its name, element type and shape."""

    name: str
    kind: str
    shape: tuple[str, ...]


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of a graph, and the operator sets it needs."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: Mapping[str, int]

    @classmethod
    def of(cls, packed: Packed) -> Signature:
        """Read the signature from the open graph."""
        import onnx

        session = packed.model.predictor.session
        inputs = tuple(Tensor(node.name, node.type, _shape(node.shape)) for node in session.get_inputs())
        widths = (str(len(part.labels) or 1) for part in packed.manifest.parts)
        pairs = zip(session.get_outputs(), widths, strict=True)
        outputs = tuple(Tensor(node.name, node.type, ("rows", width)) for node, width in pairs)
        model = onnx.load_model_from_string(packed.files[MODEL])
        operators = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
        return cls(inputs, outputs, operators)


def write_note(packed: Packed, signature: Signature, lang: Language) -> str:
    """Return the note in Markdown."""
    manifest = packed.manifest
    head = f"| {say('graph:name', lang)} | {say('graph:type', lang)} | {say('graph:shape', lang)} |\n|---|---|---|"
    parts = [
        f"# {manifest.name}: model.onnx",
        say("graph:intro", lang).format(
            operators=", ".join(f"{name} {version}" for name, version in signature.operators.items())
        ),
        f"## {say('graph:inputs', lang)}",
        "\n".join([head, *(_line(tensor) for tensor in signature.inputs)]),
        *(f"**{_names(feed)}** — {_tell(feed, lang)}" for feed in manifest.feeds),
        f"## {say('graph:output', lang)}",
        "\n".join([head, *(_line(tensor) for tensor in signature.outputs)]),
        *(_answers(part, lang) for part in manifest.parts),
        f"## {say('graph:call', lang)}",
        "```\npip install numpy onnxruntime\npython example.py\n```",
        say("graph:example", lang),
    ]
    return "\n\n".join(parts) + "\n"


def _shape(axes: list[int | str | None]) -> tuple[str, ...]:
    """Return the axes in words; the first is the rows, and a free one after it is padded to the longest text."""
    return ("rows", *(str(axis) if isinstance(axis, int) else "longest" for axis in axes[1:]))


def _line(tensor: Tensor) -> str:
    """Return a tensor as a line of a table."""
    kind = tensor.kind.removeprefix("tensor(").removesuffix(")")
    return f"| `{tensor.name}` | {kind} | {' × '.join(tensor.shape)} |"


def _names(feed: Feed) -> str:
    """Return the graph inputs that a feed fills."""
    return ", ".join(f"`{name}`" for name in input_names(feed))


def _tell(feed: Feed, lang: Language) -> str:
    """Return how cells become this input."""
    columns = ", ".join(f"`{name}`" for name in feed.columns)
    return _SENTENCES[type(feed)](feed, columns, lang)


def _characters(feed: Feed, columns: str, lang: Language) -> str:
    assert isinstance(feed, CharacterFeed)
    key = "graph:characters" if feed.normalise else "graph:characters:plain"
    return say(key, lang).format(columns=columns, most=feed.max_length)


def _tokens(feed: Feed, columns: str, lang: Language) -> str:
    assert isinstance(feed, TokenFeed | RowFeed)
    words = say("graph:row" if isinstance(feed, RowFeed) else "graph:tokens", lang).format(
        columns=columns, file=feed.tokenizer, most=feed.max_length, pad=feed.pad_id
    )
    return words + (say("graph:prefix", lang).format(prefix=feed.prefix) if feed.prefix else "")


def _image(feed: Feed, columns: str, lang: Language) -> str:
    assert isinstance(feed, ImageFeed)
    return say("graph:image", lang).format(columns=columns, width=feed.width, height=feed.height, mode=feed.mode)


def _plain(key: str) -> Callable[[Feed, str, Language], str]:
    return lambda _, columns, lang: say(key, lang).format(columns=columns)


_SENTENCES: Mapping[type, Callable[[Feed, str, Language], str]] = {
    NumberFeed: _plain("graph:number"),
    CategoryFeed: _plain("graph:category"),
    DateFeed: _plain("graph:date"),
    CharacterFeed: _characters,
    TokenFeed: _tokens,
    RowFeed: _tokens,
    ImageFeed: _image,
}


def _answers(manifest: Manifest, lang: Language) -> str:
    """Return what the output means and how an answer is chosen from it."""
    if manifest.task == "regress":
        return say("graph:values", lang).format(target=manifest.target)
    labels = "\n".join(f"{position}. `{label}`" for position, label in enumerate(manifest.labels))
    words = say("graph:probabilities", lang).format(target=manifest.target)
    if manifest.costs is not None:
        choice = say("graph:costs", lang).format(costs=[list(row) for row in manifest.costs])
    elif manifest.threshold is not None:
        label, least = manifest.threshold
        choice = say("graph:threshold", lang).format(label=label, least=least)
    else:
        choice = say("graph:argmax", lang)
    return f"{words}\n\n{labels}\n\n{choice}"
