"""FastAPI in front of a Transformers pipeline, as most tutorials write it: python serve_pipeline.py MODEL PORT."""

# Written as the peer's own documentation writes it.
# ruff: noqa: D101

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

FOLDER, PORT = sys.argv[1], int(sys.argv[2])
app = FastAPI()
classify = pipeline(
    "text-classification",
    model=AutoModelForSequenceClassification.from_pretrained(FOLDER, num_labels=77),
    tokenizer=AutoTokenizer.from_pretrained(FOLDER),
    top_k=None,
)


class Asked(BaseModel):
    text: str


@app.post("/predict")
def predict(asked: Asked) -> dict:
    return {"predictions": classify(asked.text)}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
