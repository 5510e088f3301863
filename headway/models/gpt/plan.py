"""How large a network is and how it is trained, chosen by the time and the text there is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from headway.decoders.stack import DecoderConfig
from headway.networks.plan import Precision
from headway.tasks.recipe import Recipe, Schedule

Optimizer = Literal["muon", "adamw", "adam", "sgd"]


@dataclass(frozen=True)
class Size:
    """Width and layers of a network; heads are 32 numbers wide."""

    width: int
    layers: int

    def parameters(self, vocabulary: int) -> int:
        """Return the number of weights that learn, the table of tokens included."""
        hidden = hidden_of(self.width)
        return self.layers * self.width * (4 * self.width + 3 * hidden) + vocabulary * self.width


HEAD_WIDTH = 32
LADDER = (Size(32, 2), Size(64, 3), Size(96, 4), Size(128, 4), Size(192, 4), Size(256, 5), Size(320, 6), Size(384, 8))
# A network of n weights wants to read so many tokens a weight: larger ones end ahead only where time allows more.
TOKENS_A_WEIGHT = 2.5
# From so many readings of the same text on, a network learns it by heart rather than how it is written.
READINGS, DROPOUT_FROM, DROPOUT = 12.0, 6.0, 0.1
# A short text is read more often, for fewer steps teach even a small network next to nothing; the weights of the lowest
# loss on validation texts are kept. 541 pairs of short Chinese sentences: 7.76 bits a character after 12 readings (123
# steps), 7.13 after 36.
FEWEST_STEPS = 400
# Steps of so many tokens: fewer would spend the time on the optimiser, more leave too few steps in minutes.
TOKENS_A_STEP = 1024
LONGEST_WINDOW, SHORTEST_WINDOW = 256, 32


@dataclass(frozen=True)
class Plan:
    """Training settings, none left open.

    A step reads `batch_size` rows of `window` tokens; for the first `short_share` of the steps the same tokens are read
    in rows of a quarter of the window, which costs less and teaches spelling as well. `steps` is the length of the
    schedule. `warmup` is a share of it.
    """

    size: Size
    window: int
    steps: int
    batch_size: int = 8
    optimizer: Optimizer = "muon"
    learning_rate: float = 0.008
    weight_decay: float = 0.1
    dropout: float = 0.0
    schedule: Schedule = "linear"
    warmup: float = 0.02
    clip: float = 1.0
    short_share: float = 0.5
    precision: Precision = "auto"
    threads: int | None = None

    @property
    def tokens(self) -> int:
        """Return the tokens of a step."""
        return self.batch_size * self.window

    def config(self, vocabulary: int) -> DecoderConfig:
        """Return the sizes of the network."""
        heads = self.size.width // HEAD_WIDTH
        return DecoderConfig(
            vocabulary=vocabulary,
            width=self.size.width,
            layers=self.size.layers,
            heads=heads,
            key_value_heads=heads,
            hidden=hidden_of(self.size.width),
            window=self.window,
        )


def hidden_of(width: int) -> int:
    """Return the width inside SwiGLU: 8/3 of the states' (Shazeer 2020), a multiple of 32."""
    return max(32, round(width * 8 / 3 / 32) * 32)


# AdamW wants a smaller rate than Muon, whose steps are equally large in all directions.
RATES: dict[Optimizer, float] = {"muon": 0.008, "adamw": 2e-3, "adam": 2e-3, "sgd": 0.3}


def plan_for(recipe: Recipe, *, tokens: int, longest: int, vocabulary: int, readable: float) -> Plan:
    """Return the plan for a corpus of so many `tokens`, whose longest text has `longest`, with a user's wishes on top.

    `readable`: weights times tokens that the time allows to train, infinite where nobody waits. Without a clock the
    network is what the text can fill.
    """
    window = min(LONGEST_WINDOW, max(SHORTEST_WINDOW, 1 << (longest - 1).bit_length()))
    batch = max(2, min(TOKENS_A_STEP // window, tokens // (4 * window)))
    size, reads = choose_size(tokens, vocabulary, readable)
    reads = max(reads, min(FEWEST_STEPS * batch * window, readable / size.parameters(vocabulary)))
    steps = max(20, round(reads / (batch * window)))
    plan = Plan(size, window, steps, batch, dropout=DROPOUT if reads / tokens > DROPOUT_FROM else 0.0)
    return wished(plan, recipe, tokens)


def choose_size(tokens: int, vocabulary: int, readable: float) -> tuple[Size, float]:
    """Return the largest network that can read enough for its weights, and how many tokens it reads."""
    chosen, reads = LADDER[0], min(READINGS * tokens, readable / LADDER[0].parameters(vocabulary))
    for size in LADDER[1:]:
        weights = size.parameters(vocabulary)
        could = min(READINGS * tokens, readable / weights)
        if could < TOKENS_A_WEIGHT * (weights - vocabulary * size.width):
            break
        chosen, reads = size, could
    return chosen, reads


def wished(plan: Plan, recipe: Recipe, tokens: int) -> Plan:
    """Lay a user's recipe over a plan."""
    optimizer: Optimizer = recipe.optimizer or plan.optimizer
    plan = replace(plan, optimizer=optimizer, learning_rate=RATES[optimizer])
    named = ("learning_rate", "weight_decay", "dropout", "batch_size", "schedule", "warmup", "clip")
    plan = replace(plan, **{name: getattr(recipe, name) for name in named if getattr(recipe, name) is not None})
    if recipe.epochs is not None:
        plan = replace(plan, steps=max(1, round(recipe.epochs * tokens / plan.tokens)))
    return plan
