"""Tiny random decoders in folders, with a byte for each token, made when a test needs one."""

import json
from pathlib import Path

from headway.bases.base import Base
from headway.bases.opening import open_base
from headway.decoders.stack import DecoderConfig
from tests.decoders.tiny import write_folder
from tests.runtime.generation.packages import CLOSE, CONFIG, END, OPEN, tokenizer_of

TEMPLATE = (
    "{% for message in messages %}" + OPEN + "{{ message['role'] }}\n{{ message['content'] }}" + CLOSE + "\n"
    "{% endfor %}{% if add_generation_prompt %}" + OPEN + "assistant\n{% endif %}"
)


def tiny_decoder(folder: Path, config: DecoderConfig = CONFIG, *, chats: bool = True) -> Base:
    """Return a base that knows conversations, or just continues texts; its weights are random."""
    write_folder(folder, config)
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**settings, "eos_token_id": 256}), encoding="utf-8")
    (folder / "tokenizer.json").write_text(tokenizer_of().to_str(), encoding="utf-8")
    template = {"chat_template": TEMPLATE} if chats else {}
    told = {"eos_token": END, "pad_token": END, **template}
    (folder / "tokenizer_config.json").write_text(json.dumps(told), encoding="utf-8")
    return open_base(str(folder))
