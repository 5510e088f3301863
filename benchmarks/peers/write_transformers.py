"""Tokens a second that Transformers' generate writes in fp32: python write_transformers.py FOLDER TOKENS THREADS."""

# Written as the peer's own documentation writes it.

import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

torch.set_num_threads(int(sys.argv[3]))
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
asked = tokenizer("Once upon a time", return_tensors="pt")
model.generate(**asked, max_new_tokens=2, do_sample=False)
tokens = int(sys.argv[2])
began = time.perf_counter()
model.generate(**asked, min_new_tokens=tokens, max_new_tokens=tokens, do_sample=False)
print(json.dumps({"tokens_per_second": tokens / (time.perf_counter() - began)}))
