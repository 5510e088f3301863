"""Tokens a second of one text written by a Headway package: python write_headway.py PACKAGE TOKENS THREADS."""

import json
import sys
import time

from headway.runtime import Wish, load_generator

generator = load_generator(sys.argv[1], threads=int(sys.argv[3]), slots=1)
wish = Wish(max_tokens=int(sys.argv[2]), temperature=0)
times = [time.perf_counter() for _ in generator.stream("Once upon a time", wish)]
print(json.dumps({"tokens_per_second": (len(times) - 1) / (times[-1] - times[0])}))
