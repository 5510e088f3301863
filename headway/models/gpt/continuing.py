"""What ships goes on where the judged training ended: through the texts that were held out, and as many old ones.

Held out of a running text are its latest pages, and they foresee best what comes next: on Shakespeare, whose last tenth
is the test, the tenth before it is worth .09 nats a character.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from headway.compute.clock import Clock
from headway.data.corpus.reading import PROMPT, TEXT
from headway.errors import TrainingError
from headway.models.family import Examples, Settings
from headway.models.going_on import GOES_ON_FROM, ROWS_A_NEW_ONE, rows_to_go_on_with
from headway.models.gpt.plan import Plan
from headway.models.gpt.tokenizing import Kind, Words, read_words
from headway.networks.checkpoints import Checkpoints, Values, values_of

# New texts are read so often, with an old one for each, at this share of the rate.
READINGS, RATE_SHARE = 2, 0.5
# What a step may take longer than before, what the tournament asks for besides, and opening and proving it, in seconds.
MARGIN, ASKED, OPENING = 1.2, 1.3, 2.0
# It takes no more than this share of the time: where a corpus can hardly be read once, the first reading counts most.
MOST_SHARE = 0.12


@dataclass(frozen=True)
class Begun:
    """What a training ended with: its weights, its tokenizer, and digests of the texts that it learnt from.

    `steps`: how many more there is time for.
    """

    values: Values
    words: Words
    seen: frozenset[str]
    steps: int

    def positions(self, train: Examples, *, seed: int) -> np.ndarray:
        """Return the texts to go on with: all that are new, and as many of the others; int64, in their order."""
        return rows_to_go_on_with(digests_of(train), self.seen, seed=seed)


def keep(network: nn.Module, words: Words, train: Examples, steps: int, file: Path) -> bool:
    """Keep what a training learnt for `begun` to find; tell whether it could be kept (a full disk keeps nothing)."""
    told: dict[str, object] = {"words": words.to_json(), "kind": words.kind, "steps": steps, "seen": digests_of(train)}
    kept = Checkpoints(file)
    kept.save({"values": values_of(network), **told})
    return not kept.trouble


def begun(settings: Settings | None, train: Examples, clock: Clock) -> Begun | None:
    """Return the training that the settings name; None where they name none, or where time does not press.

    Without a clock a fit begins anew: two of them are equal. Raises `TrainingError` where what they name is gone: there
    is no time to begin anew.
    """
    name, scratch = (settings or {}).get(GOES_ON_FROM), train.support.scratch
    if name is None or scratch is None or math.isinf(clock.deadline):
        return None
    kept = Checkpoints(file_of(scratch, str(name))).load()
    if kept is None:
        raise TrainingError("what the judged training left is gone, and to train anew there is no time")
    kind: Kind = kept["kind"]
    return Begun(kept["values"], read_words(kept["words"], kind), frozenset(kept["seen"]), kept["steps"])


@dataclass(frozen=True)
class HeldBack:
    """What is kept of the time to go on: `steps`, and the `seconds` they take with opening and proving what comes."""

    steps: int = 0
    seconds: float = 0.0


def held_back(plan: Plan, tokens: int, *, step: float, left: float) -> HeldBack:
    """Return what so many new tokens and as many old ones want; a step takes `step` of the `left` seconds."""
    wanted = READINGS * ROWS_A_NEW_ONE * tokens / plan.tokens
    steps = max(1, round(min(wanted, MOST_SHARE * left / max(step * MARGIN, 1e-9))))
    return HeldBack(steps, OPENING + steps * step * MARGIN)


def gentler(plan: Plan, steps: int) -> Plan:
    """Return the plan to go on with for so many steps."""
    return replace(plan, steps=steps, learning_rate=plan.learning_rate * RATE_SHARE, short_share=0.0)


def digests_of(train: Examples) -> list[str]:
    """Return a digest of each text with its prompt."""
    prompts = train.rows[PROMPT].to_list() if PROMPT in train.rows.columns else [None] * len(train)
    pairs = zip(prompts, train.rows[TEXT].to_list(), strict=True)
    return [hashlib.blake2b(repr(pair).encode(), digest_size=16).hexdigest() for pair in pairs]


def file_of(scratch: Path, name: str) -> Path:
    """Return where what a training learnt is kept under a name."""
    return scratch / f"{name}-learnt.pt"
