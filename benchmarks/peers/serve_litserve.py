"""LitServe with batching, as its documentation shows for a classifier: python serve_litserve.py MODEL PORT."""

# Written as the peer's own documentation writes it.
# ruff: noqa: ANN001, ANN201, ARG002, D101, D102

import sys

import litserve as ls
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

FOLDER, PORT = sys.argv[1], int(sys.argv[2])


class Classifier(ls.LitAPI):
    def setup(self, device):
        self.tokenizer = AutoTokenizer.from_pretrained(FOLDER)
        self.model = AutoModelForSequenceClassification.from_pretrained(FOLDER, num_labels=77).eval()

    def decode_request(self, request):
        return request["text"]

    def batch(self, inputs):
        return inputs

    def predict(self, texts):
        tokens = self.tokenizer(list(texts), padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            return self.model(**tokens).logits.softmax(-1)

    def unbatch(self, output):
        return list(output)

    def encode_response(self, output):
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    api = Classifier(max_batch_size=32, batch_timeout=0.005)
    server = ls.LitServer(api, accelerator="cpu", devices=1, workers_per_device=1)
    server.run(host="127.0.0.1", port=PORT, log_level="warning", generate_client_file=False)
