"""What training the upper layers of a base will cost here."""

from __future__ import annotations

import numpy as np

from headway.encoders.opening import open_encoder
from headway.encoders.proving import check_export
from headway.models.encoder_finetune import choosing
from headway.models.encoder_finetune.choosing import Choice, Work
from headway.models.encoder_finetune.preparing import base_of
from headway.models.encoder_finetune.reading import Reader
from headway.models.family import Estimate, Examples

_PROBED = 256


def estimate_upper(
    train: Examples, *, epochs: int, layers: float, valid: float, seed: int, rows: bool = False
) -> Estimate:
    """Estimate a fit of a share of the `layers`, from the speed on this machine and the lengths of some texts.

    `valid`: the tokens that are validated on, as a share of those that are learnt from. `rows`: also what is written of
    numbers, categories and dates is read. Raises `TrainingError` where the base could not be packed afterwards.
    """
    few = train.take(np.random.default_rng(seed).permutation(len(train))[:_PROBED])
    base = base_of(train)
    reader = Reader.of_rows(base, train) if rows else Reader.of(base, train)
    lengths = reader.read(few.rows).lengths
    encoder = open_encoder(base)
    check_export(encoder, base)
    size = choosing.size_of(encoder)
    tokens = int(lengths.mean() * len(train))
    work = Work(tokens, int(tokens * valid), int(lengths.max(initial=1)), len(train), epochs)
    upper = Choice("layers", max(1, int(size.layers * layers)), keeps=size.layers > 1)
    least = Choice("lora", 1, tokens=1_024, recompute=True)
    speed = choosing.measure(encoder)
    return Estimate(
        choosing.seconds_of(upper, size, work, speed),
        choosing.memory_of(least, size, longest=work.longest),
        row_seconds=speed.forward * float(lengths.mean()),
        tokens_per_second=1 / speed.training,
    )
