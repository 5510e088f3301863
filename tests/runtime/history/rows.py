"""Small histories: purchases of some customers in some shops."""

import numpy as np

from headway.runtime.history.events import read_events
from headway.runtime.history.memory import Memory
from headway.runtime.history.timelines import fit_scales
from headway.runtime.manifest import History

DAY = 86_400
HISTORY = History("when", ("customer", "shop"), ("amount",), (DAY, 7 * DAY), 3 * DAY, "bad", (36, 36))
TARGET = "label"


def purchases(rows=300, seed=0, days=30):
    """Rows in no order; many share a time, some lack a key, an amount or a label."""
    generator = np.random.default_rng(seed)
    seconds = generator.integers(0, days * 24, rows) * 3600 + 1_530_000_000
    customers = generator.choice(["ann", "bob", "孙", "", "dan"], rows)
    amounts = np.where(generator.random(rows) < 0.1, np.nan, generator.lognormal(3, 1, rows).round(2))
    labels = generator.choice(["bad", "good", ""], rows, p=[0.2, 0.7, 0.1])
    return {
        "when": np.array(seconds, "datetime64[s]").astype("datetime64[us]"),
        "customer": customers.tolist(),
        "shop": generator.integers(0, 8, rows).tolist(),
        "amount": amounts,
        "label": labels.tolist(),
    }


def some(columns, positions):
    """Return the rows at positions."""
    return {name: np.asarray(cells, dtype=None)[positions].tolist() for name, cells in columns.items()}


def memory_of(columns, **changes):
    """Return the memory of all rows."""
    from dataclasses import replace

    history = replace(HISTORY, **changes)
    events = read_events(history, columns, target=TARGET)
    return Memory(replace(history, scales=fit_scales(events)), TARGET, events)
