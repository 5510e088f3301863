"""One AutoGluon run, inside AutoGluon's own environment: python tables_autogluon.py TRAIN TEST METRIC SECONDS OUT."""

import sys
import tempfile

import pandas as pd
from autogluon.tabular import TabularPredictor

TARGET = "target"


def main() -> None:
    train, test, metric, seconds, out = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor(label=TARGET, eval_metric=metric, path=folder, verbosity=0)
        predictor.fit(pd.read_csv(train), time_limit=float(seconds), presets="medium_quality", num_cpus=2)
        answers = predictor.predict_proba(pd.read_csv(test).drop(columns=[TARGET]))
    answers.iloc[:, -1].to_csv(out, index=False, header=["score"])


if __name__ == "__main__":
    main()
