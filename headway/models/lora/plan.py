"""How long and how fast adapters learn, chosen by the data, with a user's wishes on top."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from headway.tasks.recipe import Recipe, Schedule

Precision = Literal["float32", "bfloat16"]
# Steps of about so many tokens feed the products; where that left fewer steps than these, they are smaller.
TOKENS_A_STEP, FEWEST_STEPS = 1024, 100
SMALLEST_BATCH, LARGEST_BATCH = 4, 64
# Where time is short, so much of the layers learns as lets the data be read so often. A reading of a layer forth costs
# 1, back another 1; layers below those that learn are read forth once, and what they make of a text is kept.
DEPTHS, WANTED_READINGS = (1.0, 1 / 2, 1 / 3, 1 / 6), 3.0
# Fewer layers take larger steps.
RATE, SHALLOW_RATE = 1e-3, 2e-3
# Longer conversations lose the beginning of what was asked, longer answers their end; running text is cut in pieces.
LONGEST, PIECE = 1024, 512
# An answer may take this share of the window before it loses its end.
ANSWER_SHARE = 0.75
EPOCHS, PAIR_EPOCHS = 3, 1
# Preferences are learnt more gently than answers: a small share of the rate.
PAIR_RATE_SHARE = 0.1


@dataclass(frozen=True)
class Plan:
    """Training settings, none left open.

    `steps` and `pair_steps` are the lengths of the schedules for answers and for pairs of them, `batch_size` is the
    texts (or pairs) of a step; a text has at most `window` tokens; the upper `depth` layers learn. `warmup` is a share
    of a schedule; `patience`: how many looks at the validation part may pass without a gain; `beta`: of DPO.
    """

    steps: int
    pair_steps: int
    batch_size: int
    window: int
    depth: int
    rank: int = 16
    alpha: float = 32.0
    learning_rate: float = RATE
    weight_decay: float = 0.0
    schedule: Schedule = "cosine"
    warmup: float = 0.05
    clip: float = 1.0
    patience: int = 3
    beta: float = 0.1
    precision: Precision = "float32"
    threads: int | None = None


def choose_depth(layers: int, passes: float) -> int:
    """Return how many upper layers learn where there is time to take the data through all `layers` so many times.

    Each time counts once forth or once back; `WANTED_READINGS` of the data are worth more than depth.
    """
    for share in DEPTHS:
        if 1 + share + 2 * share * (WANTED_READINGS - 1) <= passes:
            return math.ceil(share * layers)
    return math.ceil(DEPTHS[-1] * layers)


def plan_for(
    recipe: Recipe, *, texts: int, tokens: int, pairs: int, window: int, layers: int, passes: float = math.inf
) -> Plan:
    """Return the plan for so many `texts` of together so many `tokens`, and `pairs` of answers.

    `passes`: how often the time lets the data be taken through all `layers`; see `choose_depth`.
    """
    usual = TOKENS_A_STEP * texts // max(1, tokens)
    steps = texts * min(passes / 2, recipe.epochs or EPOCHS) / FEWEST_STEPS
    batch = recipe.batch_size or max(SMALLEST_BATCH, min(LARGEST_BATCH, usual, max(1, texts // 8), int(steps)))
    depth = choose_depth(layers, passes)
    plan = Plan(
        steps=0 if recipe.loss == "dpo" and pairs else (recipe.epochs or EPOCHS) * -(-texts // batch),
        pair_steps=0 if recipe.loss == "cross_entropy" else (recipe.epochs or PAIR_EPOCHS) * -(-pairs // batch),
        batch_size=batch,
        window=window,
        depth=depth,
        learning_rate=RATE if depth == layers else SHALLOW_RATE,
    )
    named = ("learning_rate", "weight_decay", "schedule", "warmup", "clip")
    wishes = {name: getattr(recipe, name) for name in named if getattr(recipe, name) is not None}
    if recipe.lora_rank is not None:
        wishes |= {"rank": recipe.lora_rank, "alpha": 2.0 * recipe.lora_rank}
    if recipe.early_stopping is not None:
        wishes["patience"] = recipe.early_stopping or 10**9
    if recipe.dpo_beta is not None:
        wishes["beta"] = recipe.dpo_beta
    return replace(plan, **wishes)
