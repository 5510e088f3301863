"""The stages of a run, in order, cached and resumable."""
