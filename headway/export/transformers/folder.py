"""The folder, and what stands beside the model in it."""

from __future__ import annotations

from headway.decoders.saving import transformers_files
from headway.export.content import Content, Options
from headway.export.packed import Packed
from headway.export.words import Language, say
from headway.runtime.archive import MODEL
from headway.runtime.manifest import Generation


def make_folder(packed: Packed, options: Options) -> Content:
    """Return the files with notes in English and Chinese; see `transformers_files` for what it raises."""
    del options
    facts = packed.manifest.generation
    assert facts is not None
    files = dict(transformers_files(packed.files[MODEL], packed.files[facts.tokenizer], facts))
    notes = {"README.md": _note(packed, facts, "en"), "README.zh.md": _note(packed, facts, "zh")}
    return Content({**files, **{name: text.encode() for name, text in notes.items()}})


def _note(packed: Packed, facts: Generation, lang: Language) -> str:
    """Return the note in Markdown."""
    intro = say("transformers:intro", lang).format(precision=facts.precision, window=facts.window)
    chat = say("gguf:chat" if facts.chat is not None else "gguf:no_chat", lang)
    return f"# {packed.manifest.name}\n\n{intro}\n\n```python\n{_CALL}```\n\n{chat}\n"


_CALL = """from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained(".")
ids = tokenizer("...", return_tensors="pt")
print(tokenizer.decode(model.generate(**ids, max_new_tokens=50)[0]))
"""
