import numpy as np
import polars as pl

from headway.data.dataset import ROW, Table
from headway.data.history_shape import Shape, find_shape
from headway.data.inference import infer

NO_REJECTS = pl.DataFrame(schema={"file": pl.String, "row": pl.UInt32, "reason": pl.String})


def shape_of(**changes):
    generator = np.random.default_rng(0)
    columns = {
        ROW: pl.Series(np.arange(300), dtype=pl.UInt32),
        "when": [f"2024-03-{1 + i // 20:02d} {i % 24:02d}:15:00" for i in range(300)],
        "customer_id": generator.integers(0, 40, 300).astype(str).tolist(),
        "kind": generator.choice(["a", "b"], 300),
        "amount": generator.lognormal(2, 1, 300).round(2).astype(str),
        "fraud": (generator.random(300) < 0.1).astype(int).astype(str),
        **changes,
    }
    table = Table(pl.DataFrame(columns), NO_REJECTS, 300)
    return find_shape(table.rows, infer(table, "fraud"), "fraud")


def test_times_and_keys_that_come_again_are_found():
    assert shape_of() == Shape("when", ("customer_id",), ("amount",))


def test_without_times_of_day_or_keys_there_is_no_history():
    assert shape_of(when=[f"2024-{1 + i % 12:02d}-01" for i in range(300)]) is None
    assert shape_of(customer_id=[str(i) for i in range(300)]) is None
    assert shape_of(fraud=[str(i % 5) for i in range(300)]) is None
