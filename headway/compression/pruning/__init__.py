"""Whole heads, channels and layers taken out of a graph, and the rest trained to make up for them."""
