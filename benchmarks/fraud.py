"""Card fraud in the weeks of the fraud detection handbook: `headway run` on the raw table beside its two forests.

Trained on 2018-07-25 to 07-31, tested on 08-08 to 08-14 without the cards known as compromised (Le Borgne et al. 2022,
chapters 3 and 5). Headway gets the table as it is and `history:`; the peers get the handbook's 15 features, computed
here as it does. Card precision is that of the 100 cards with the highest scores of each day, cards once found left out
(chapter 4). HEADWAY_FRAUD_BUDGET (seconds, 300) is Headway's budget; the peers have none.
"""

from __future__ import annotations

import json
import lzma
import os
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.shared import HERE, call, find_data, peer_python, print_table, run_headway

BUDGET = int(os.environ.get("HEADWAY_FRAUD_BUDGET", "300"))
PEERS = ("scikit-learn==1.9.1", "xgboost-cpu", "polars")
FILE = "dev_2018-06-11_2018-08-14.csv.xz"
TRAIN, TEST, DAYS, DELAY = date(2018, 7, 25), date(2018, 8, 8), 7, 7
WINDOWS = (1, 7, 30)
CARDS = 100
PROJECT = """name: fraud
data: {data}
target: TX_FRAUD
ignore: [TX_FRAUD_SCENARIO]     # it says what kind of fraud it was; the run would find that out too
split: {{train_from: 2018-07-25, train_until: 2018-08-01, test_from: 2018-08-08}}
history:
  time: TX_DATETIME
  keys: [CUSTOMER_ID, TERMINAL_ID]
  values: [TX_AMOUNT]
  windows: [1d, 7d, 30d]
  delay: 7d
  block: CUSTOMER_ID
budget: {{time: {budget}s}}
"""


@dataclass(frozen=True)
class Judged:
    """How one model did, and the seconds it took, features included."""

    name: str
    auc: float
    precision: float
    cards: float
    seconds: float


def main() -> str:
    """Run both sides on the same rows and return the table."""
    path = find_data("fraud_transactions") / FILE
    table = read_table(path)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        judged = [run_ours(path, table, folder), *run_peers(table, folder)]
    return print_judged(judged)


def read_table(path: Path) -> pl.DataFrame:
    """Return the transactions in the order of the file, with their row numbers and days."""
    with lzma.open(path) as stream:
        table = pl.read_csv(stream.read(), try_parse_dates=True)
    return table.with_row_index("row").with_columns(day=pl.col("TX_DATETIME").dt.date())


def run_ours(path: Path, table: pl.DataFrame, folder: Path) -> Judged:
    """Run Headway and judge its answers to the test part."""
    ran = run_headway(PROJECT.format(data=path.resolve(), budget=BUDGET), folder)
    for line in ran.spent.printed.splitlines():
        print(f"    {line}", flush=True)
    answers = pl.read_parquet(ran.folder / "test_answers.parquet")
    name = next(name for name in ("p_1", "probability_1") if name in answers.columns)
    rows = answers.select(row=pl.col("__row__").cast(pl.UInt32), score=name).join(table, on="row", how="left")
    return judge(f"Headway ({ran.result['winner']})", rows, ran.spent.seconds)


def run_peers(table: pl.DataFrame, folder: Path) -> list[Judged]:
    """Compute the handbook's features, let the peers learn and answer, and judge them."""
    python = peer_python("fraud", *PEERS)
    told = tell_as_the_handbook(table)
    train = told.filter(pl.col("day").is_between(TRAIN, TRAIN + timedelta(DAYS - 1)))
    test = without_known_cards(told)
    features = ["TX_AMOUNT", "weekend", "night", *(name for name in told.columns if "_window" in name)]
    assert len(features) == 15
    for name, rows in (("train", train), ("test", test)):
        rows.select(*features, "TX_FRAUD").write_parquet(folder / f"{name}.parquet")
    spent = call(python, HERE / "peers" / "fraud_forests.py", folder)
    seconds = json.loads(spent.printed.strip().splitlines()[-1])
    scores = pl.read_parquet(folder / "scores.parquet")
    return [judge(name, test.with_columns(score=scores[name]), seconds[name]) for name in scores.columns]


def tell_as_the_handbook(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with the handbook's features: windows hold the row itself, a terminal's risk is 7 days old."""
    rows = table.sort("TX_DATETIME")
    time = pl.col("TX_DATETIME")
    columns = [
        (time.dt.weekday() >= 6).cast(pl.Int8).alias("weekend"),
        (time.dt.hour() <= 6).cast(pl.Int8).alias("night"),
    ]
    for days in WINDOWS:
        one = _rolled(pl.lit(1), days, "CUSTOMER_ID")
        columns += [
            one.alias(f"customer_rows_window_{days}"),
            (_rolled(pl.col("TX_AMOUNT"), days, "CUSTOMER_ID") / one).alias(f"customer_mean_window_{days}"),
        ]
        rows_of, frauds_of = (
            _rolled(what, DELAY + days, "TERMINAL_ID") - _rolled(what, DELAY, "TERMINAL_ID")
            for what in (pl.lit(1), pl.col("TX_FRAUD"))
        )
        columns += [
            rows_of.alias(f"terminal_rows_window_{days}"),
            pl.when(rows_of > 0).then(frauds_of / rows_of).otherwise(0.0).alias(f"terminal_risk_window_{days}"),
        ]
    return rows.with_columns(columns)


def _rolled(what: pl.Expr, days: int, key: str) -> pl.Expr:
    """Return the sum of what lies in the last days up to and with each row, by key."""
    column = (what + 0 * pl.col("TX_FRAUD")).cast(pl.Float64)
    return column.rolling_sum_by("TX_DATETIME", window_size=f"{days}d", closed="right").over(key)


def without_known_cards(told: pl.DataFrame) -> pl.DataFrame:
    """Return the test days, each without the customers whose fraud was known that day (`get_train_test_set`)."""
    frauds = told.filter(pl.col("TX_FRAUD") == 1)
    known = set(frauds.filter(pl.col("day").is_between(TRAIN, TRAIN + timedelta(DAYS - 1)))["CUSTOMER_ID"])
    days = []
    for number in range(DAYS):
        late = TRAIN + timedelta(DAYS + number - 1)
        known |= set(frauds.filter(pl.col("day") == late)["CUSTOMER_ID"])
        today = told.filter(pl.col("day") == TEST + timedelta(number))
        days.append(today.filter(~pl.col("CUSTOMER_ID").is_in(list(known))))
    return pl.concat(days)


def judge(name: str, rows: pl.DataFrame, seconds: float) -> Judged:
    """Return the figures of scores for the test rows."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    y, scores = rows["TX_FRAUD"].to_numpy(), rows["score"].to_numpy()
    auc, precision = float(roc_auc_score(y, scores)), float(average_precision_score(y, scores))
    return Judged(name, auc, precision, card_precision(rows), seconds)


def card_precision(rows: pl.DataFrame) -> float:
    """Return the mean share of compromised cards among each day's 100 cards with the highest scores."""
    found: set[int] = set()
    shares = []
    for _, today in sorted(rows.group_by("day"), key=lambda pair: pair[0]):
        open_cards = today.filter(~pl.col("CUSTOMER_ID").is_in(list(found)))
        cards = open_cards.group_by("CUSTOMER_ID").agg(pl.max("score"), pl.max("TX_FRAUD"))
        hits = cards.sort("score", descending=True).head(CARDS).filter(pl.col("TX_FRAUD") == 1)["CUSTOMER_ID"]
        shares.append(len(hits) / CARDS)
        found |= set(hits)
    return float(np.mean(shares))


def print_judged(judged: list[Judged]) -> str:
    """Print and return all figures, each with its ratio to the random forest's."""
    peer = next(one for one in judged if one.name == "random forest")

    def cells(one: Judged) -> list[str]:
        pairs = ((one.auc, peer.auc), (one.precision, peer.precision), (one.cards, peer.cards))
        return [one.name, *(f"{value:.3f} ({value / other:.3f})" for value, other in pairs), f"{one.seconds:.0f}"]

    header = ("model", "ROC AUC (ratio to the forest)", "average precision", "card precision at 100", "seconds")
    return print_table("Fraud, the handbook's weeks", header, [cells(one) for one in judged])
