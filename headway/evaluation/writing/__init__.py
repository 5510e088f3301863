"""How good texts are that a model has written."""
