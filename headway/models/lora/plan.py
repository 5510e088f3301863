"""How long and how fast adapters learn, chosen by the data, with a user's wishes on top."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from headway.tasks.recipe import Recipe, Schedule

Precision = Literal["float32", "bfloat16"]
# Steps of about so many tokens: enough to feed the products, few enough for many steps in minutes.
TOKENS_A_STEP = 1024
SMALLEST_BATCH, LARGEST_BATCH = 4, 64
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
    texts (or pairs) of a step; a text has at most `window` tokens. `warmup` is a share of a schedule; `patience`: how
    many looks at the validation part may pass without a gain; `beta`: of DPO.
    """

    steps: int
    pair_steps: int
    batch_size: int
    window: int
    rank: int = 16
    alpha: float = 32.0
    learning_rate: float = 5e-4
    weight_decay: float = 0.0
    schedule: Schedule = "cosine"
    warmup: float = 0.05
    clip: float = 1.0
    patience: int = 3
    beta: float = 0.1
    precision: Precision = "float32"
    threads: int | None = None


def plan_for(recipe: Recipe, *, texts: int, tokens: int, pairs: int, window: int) -> Plan:
    """Return the plan for so many `texts` of together so many `tokens`, and `pairs` of answers."""
    usual = TOKENS_A_STEP * texts // max(1, tokens)
    batch = recipe.batch_size or max(SMALLEST_BATCH, min(LARGEST_BATCH, usual, max(1, texts // 8)))
    plan = Plan(
        steps=0 if recipe.loss == "dpo" and pairs else (recipe.epochs or EPOCHS) * -(-texts // batch),
        pair_steps=0 if recipe.loss == "cross_entropy" else (recipe.epochs or PAIR_EPOCHS) * -(-pairs // batch),
        batch_size=batch,
        window=window,
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
