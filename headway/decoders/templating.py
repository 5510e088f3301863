"""The conversations of a package as a chat template (a program in Jinja), and the token that ends a turn."""

from __future__ import annotations

import json
from collections.abc import Sequence

from headway.runtime.manifest import Chat, Generation


def write_template(chat: Chat) -> str:
    """Return a Jinja template that makes the conversations of the package; `take_apart` gives them back."""
    words = "message['content'] | trim" if chat.trims else "message['content']"
    turns = "".join(
        f"{'{% if' if not place else '{% elif'} message['role'] == {json.dumps(role)} %}}"
        f"{{{{ {json.dumps(turn.before)} + {words} + {json.dumps(turn.after)} }}}}"
        for place, (role, turn) in enumerate(chat.roles.items())
    )
    start = f"{{% if messages[0]['role'] != 'system' %}}{{{{ {json.dumps(chat.start)} }}}}{{% endif %}}"
    answer = f"{{% if add_generation_prompt %}}{{{{ {json.dumps(chat.answer)} }}}}{{% endif %}}"
    return f"{start}{{% for message in messages %}}{turns}{{% endif %}}{{% endfor %}}{answer}"


def end_of_turn(facts: Generation, tokens: Sequence[str]) -> int:
    """Return the end token of an assistant's turn, else the first end token; there must be one.

    `tokens`: the text of each token.
    """
    after = facts.chat.roles["assistant"].after if facts.chat is not None else ""
    return next((place for place in facts.end_ids if after.startswith(tokens[place])), facts.end_ids[0])
