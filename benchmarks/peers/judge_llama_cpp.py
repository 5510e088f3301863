"""What llama.cpp makes of texts: python judge_llama_cpp.py MODEL.gguf < ASKED.json."""

# Run in the peer's own environment: llama-cpp-python and numpy, nothing of Headway.

import json
import sys

import numpy as np
from llama_cpp import Llama

asked = json.load(sys.stdin)
model = Llama(sys.argv[1], n_ctx=asked["window"], logits_all=True, n_threads=2, verbose=False)
found = []
for text in asked["texts"]:
    ids = model.tokenize(text.encode(), add_bos=True, special=False)
    model.reset()
    model.eval(ids)
    logits = model.scores[: len(ids) - 1].astype(np.float64)
    logits -= logits.max(axis=-1, keepdims=True)
    chances = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    found.append({"ids": ids, "logprobs": chances[np.arange(len(ids) - 1), ids[1:]].tolist()})
for prompt in asked["prompts"]:
    answer = model.create_completion(prompt, max_tokens=asked["tokens"], temperature=0.0, repeat_penalty=1.0)
    found.append({"text": answer["choices"][0]["text"]})
print(json.dumps(found))
