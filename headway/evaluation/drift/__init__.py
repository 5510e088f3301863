"""Whether what comes in production still looks like what the model was proven on; numpy only, no raw rows kept.

Every row falls into one cell of each *view* of it: a bin of a number, a category, the length of a text, the group of
similar texts it is nearest to, the answer it got. The training reference is how many rows fell into each cell; drift is
that a window of new rows falls into them otherwise than chance explains.
"""

from __future__ import annotations

from headway.evaluation.drift.comparing import Drift, Shift, compare_counts
from headway.evaluation.drift.counting import count_answers, count_inputs, count_mistakes
from headway.evaluation.drift.reference import Codebook, Reference, View
from headway.evaluation.drift.storing import reference_from_json, reference_to_json

__all__ = [
    "Codebook",
    "Drift",
    "Reference",
    "Shift",
    "View",
    "compare_counts",
    "count_answers",
    "count_inputs",
    "count_mistakes",
    "reference_from_json",
    "reference_to_json",
]
