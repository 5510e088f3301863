"""Benchmarks: each prints figures and ratios against a named peer in the same run."""
