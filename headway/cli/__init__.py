"""Commands, progress, messages."""
