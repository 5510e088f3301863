"""What stands beside a GGUF file."""

from __future__ import annotations

from headway.export.words import Language, say
from headway.runtime.manifest import Generation

# What llama.cpp calls the blocks that these precisions become.
_BLOCKS = {"float32": "F32", "int8": "Q8_0", "mixed": "Q4_1, Q8_0", "int4": "Q4_1, Q8_0"}


def write_note(file: str, facts: Generation, lang: Language) -> str:
    """Return the note in Markdown."""
    words = say("gguf:intro", lang).format(file=file, window=facts.window, blocks=_BLOCKS[facts.precision])
    ask = "" if facts.chat is None else " -cnv"
    call = f'```\nllama-cli -m {file}{ask} -p "..."\nllama-server -m {file}\n```'
    chat = say("gguf:chat" if facts.chat is not None else "gguf:no_chat", lang)
    return f"# {file}\n\n{words}\n\n{call}\n\n{chat}\n"
