"""Drawn pictures, judged beside real ones."""
