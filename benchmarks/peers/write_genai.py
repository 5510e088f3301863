"""Tokens a second that onnxruntime-genai writes: python write_genai.py FOLDER TOKENS THREADS."""

# Written as the peer's own documentation writes it.

import json
import sys
import time

import onnxruntime_genai as og

model = og.Model(sys.argv[1])
tokenizer = og.Tokenizer(model)
params = og.GeneratorParams(model)
tokens = int(sys.argv[2])
params.set_search_options(max_length=tokens + 16, min_length=tokens + 16, do_sample=False)
generator = og.Generator(model, params)
generator.append_tokens(tokenizer.encode("Once upon a time"))
times = []
while not generator.is_done() and len(times) < tokens:
    generator.generate_next_token()
    times.append(time.perf_counter())
print(json.dumps({"tokens_per_second": (len(times) - 1) / (times[-1] - times[0])}))
