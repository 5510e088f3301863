"""One module per kind of source; each hands on `Part`s."""
