"""FastAPI in front of AutoGluon Tabular: python serve_autogluon.py TRAIN TARGET SECONDS FOLDER PORT.

Fits at medium quality where FOLDER does not hold a predictor yet, then serves it.
"""

# Written as the peer's own documentation writes it.
# ruff: noqa: D101

import sys
from pathlib import Path

import pandas as pd
import uvicorn
from autogluon.tabular import TabularPredictor
from fastapi import FastAPI
from pydantic import BaseModel

TRAIN, TARGET, SECONDS, FOLDER, PORT = sys.argv[1:]
if not (Path(FOLDER) / "predictor.pkl").exists():
    TabularPredictor(label=TARGET, path=FOLDER, verbosity=0).fit(
        pd.read_csv(TRAIN), time_limit=float(SECONDS), presets="medium_quality", num_cpus=2
    )
predictor = TabularPredictor.load(FOLDER)
predictor.persist()
app = FastAPI()


class Asked(BaseModel):
    text: str


@app.post("/predict")
def predict(asked: Asked) -> dict:
    return {"predictions": predictor.predict_proba(pd.DataFrame([{"text": asked.text}])).to_dict("records")}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(PORT), log_level="warning")
