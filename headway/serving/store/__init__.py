"""Predictions and their feedback, kept in SQLite or PostgreSQL."""
