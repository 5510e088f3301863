"""A run that learns to draw: the same stages, with a generator in place of a tournament."""
