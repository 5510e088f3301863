"""A tokenizer as llama.cpp reads it: byte-level pairs as GPT-2's, or single characters as one of SentencePiece's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headway.decoders.templating import end_of_turn, write_template
from headway.errors import ExportError
from headway.runtime.manifest import Generation

if TYPE_CHECKING:
    from gguf import GGUFWriter

# Kinds of tokens in GGUF.
_NORMAL, _CONTROL, _BYTE = 1, 3, 6
# What llama.cpp writes for a blank before it looks for tokens of SentencePiece, and a letter that ends its strings.
_BLANK, _NULL = "\u2581", "\0"
_BLANK_BYTE = "<0x20>"
_BYTES = frozenset(f"<0x{byte:02X}>" for byte in range(256))


def write_tokenizer(writer: GGUFWriter, tokenizer: Any, facts: Generation, vocabulary: int) -> None:
    """Write a tokenizer (the content of a `tokenizer.json`); raises `ExportError` for one that is not known there."""
    model = tokenizer["model"]
    before = _pre_tokenizer(tokenizer.get("pre_tokenizer"))
    if _is_of_characters(tokenizer) and facts.end_ids:
        _write_characters(writer, tokenizer, facts, vocabulary)
    elif model.get("type") == "BPE" and before is not None:
        _write_pairs(writer, tokenizer, facts, vocabulary, before)
    else:
        raise ExportError(
            "llama.cpp does not know this tokenizer",
            expected="byte-level BPE that splits as GPT-2's or SmolLM's does, or single characters",
            got=f"{model.get('type')} behind {json.dumps(tokenizer.get('pre_tokenizer'))}"[:300],
            fix="export it --to transformers, or serve the package with headway",
        )  # fmt: skip
    if facts.begin_id is not None:
        writer.add_bos_token_id(facts.begin_id)
    writer.add_add_bos_token(facts.begin_id is not None)
    writer.add_add_space_prefix(value=False)
    if facts.chat is not None:
        writer.add_chat_template(write_template(facts.chat))


def _write_pairs(writer: GGUFWriter, tokenizer: Any, facts: Generation, vocabulary: int, before: str) -> None:
    """Write byte-level BPE behind a split of the name `before`."""
    tokens, kinds = _tokens(tokenizer, vocabulary)
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in tokenizer["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(before)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    if facts.end_ids:
        writer.add_eos_token_id(end_of_turn(facts, tokens))


def _write_characters(writer: GGUFWriter, tokenizer: Any, facts: Generation, vocabulary: int) -> None:
    """Write single characters, and bytes for all others: SentencePiece without a pair that could be joined."""
    tokens, kinds = _tokens(tokenizer, vocabulary)
    end = end_of_turn(facts, tokens)
    if " " not in tokens:  # a text without blanks was learnt: here a blank is the byte 32, there it is looked for first
        tokens[tokens.index(_BLANK_BYTE)] = " "
    kinds = [_BYTE if token in _BYTES else kind for token, kind in zip(tokens, kinds, strict=True)]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([_BLANK if each == " " else each for each in tokens])
    writer.add_token_scores([0.0] * vocabulary)
    writer.add_token_types(kinds)
    writer.add_eos_token_id(end)
    # Left out, these would be the first three tokens, whatever they are.
    writer.add_unk_token_id(end)
    if facts.begin_id is None:
        writer.add_bos_token_id(end)


def _tokens(tokenizer: Any, vocabulary: int) -> tuple[list[str], list[int]]:
    """Return the tokens by their numbers, and of which kind they are."""
    tokens, kinds = [f"[unused{place}]" for place in range(vocabulary)], [_NORMAL] * vocabulary
    for token, place in tokenizer["model"]["vocab"].items():
        tokens[place], kinds[place] = token, _NORMAL
    for added in tokenizer.get("added_tokens", []):
        tokens[added["id"]] = added["content"]
        kinds[added["id"]] = _CONTROL if added["special"] else _NORMAL
    return tokens, kinds


def _is_of_characters(tokenizer: Mapping[str, Any]) -> bool:
    """Tell whether tokens are single characters and the bytes of all others, which llama.cpp finds in the same way."""
    model = tokenizer["model"]
    if model.get("type") != "BPE" or model.get("merges") or not model.get("byte_fallback"):
        return False
    if tokenizer.get("pre_tokenizer") or tokenizer.get("normalizer"):
        return False
    added = {each["content"] for each in tokenizer.get("added_tokens", [])}
    own = set(model["vocab"]) - added
    characters = own - _BYTES
    return own >= _BYTES and all(len(each) == 1 for each in characters) and not characters & {_BLANK, _NULL}


def _pre_tokenizer(split: Any) -> str | None:
    """Return llama.cpp's name for the way a text is split before BPE, None for one that it does not know."""
    parts = split["pretokenizers"] if (split or {}).get("type") == "Sequence" else [split or {}]
    kinds = [part.get("type") for part in parts]
    if kinds[-1] != "ByteLevel" or parts[-1].get("add_prefix_space") or not parts[-1].get("use_regex", True):
        return None
    if kinds == ["ByteLevel"]:
        return "gpt-2"
    return "smollm" if kinds == ["Digits", "ByteLevel"] and parts[0].get("individual_digits") else None
