"""One AutoGluon run, inside AutoGluon's own environment.

    python autogluon_tabular.py TRAIN TEST TARGET METRIC SECONDS ANSWERS

Fits at medium quality and writes the probability of every label of the test rows to ANSWERS (CSV). The last line that
it prints is JSON: seconds to fit, rows a second over the whole test table, and the median milliseconds of single rows.
"""

import json
import statistics
import sys
import tempfile
import time

import pandas as pd
from autogluon.tabular import TabularPredictor

SINGLE_ROWS = 20
PASSES = 3


def main() -> None:
    train, test, target, metric, seconds, answers = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        predictor = TabularPredictor(label=target, eval_metric=metric, path=folder, verbosity=0)
        predictor.fit(pd.read_csv(train), time_limit=float(seconds), presets="medium_quality", num_cpus=2)
        fitted = time.perf_counter() - began
        rows = pd.read_csv(test).drop(columns=[target])
        predictor.predict_proba(rows).to_csv(answers, index=False)
        predictor.persist()
        whole = median_seconds(predictor, [rows] * PASSES)
        single = median_seconds(predictor, [rows.iloc[[row]] for row in range(SINGLE_ROWS)])
    print(json.dumps({"seconds": fitted, "rows_per_second": len(rows) / whole, "row_ms": 1000 * single}))


def median_seconds(predictor: TabularPredictor, tables: list[pd.DataFrame]) -> float:
    taken = []
    for table in tables:
        began = time.perf_counter()
        predictor.predict(table)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
