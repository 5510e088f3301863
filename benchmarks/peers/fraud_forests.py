"""A random forest and XGBoost, both as the fraud detection handbook has them, on its 15 features.

    python fraud_forests.py FOLDER

FOLDER holds train.parquet and test.parquet: the features and, in the last column, the label. Writes scores.parquet, a
column of probabilities for each model, and prints their seconds as JSON in the last line.
"""

import json
import sys
import time
from pathlib import Path

import polars as pl
import xgboost
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODELS = {
    "random forest": RandomForestClassifier(random_state=0, n_jobs=-1),
    "XGBoost": xgboost.XGBClassifier(random_state=0, n_jobs=-1),
}


def main() -> None:
    folder = Path(sys.argv[1])
    train, test = (pl.read_parquet(folder / f"{name}.parquet") for name in ("train", "test"))
    *features, label = train.columns
    scores, seconds = {}, {}
    for name, model in MODELS.items():
        began = time.perf_counter()
        fitted = make_pipeline(StandardScaler(), model).fit(train.select(features).to_numpy(), train[label].to_numpy())
        scores[name] = fitted.predict_proba(test.select(features).to_numpy())[:, 1]
        seconds[name] = time.perf_counter() - began
    pl.DataFrame(scores).write_parquet(folder / "scores.parquet")
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
