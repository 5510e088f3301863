"""Text to learn to write from: read, cleaned and divided by the same stages as tables."""
