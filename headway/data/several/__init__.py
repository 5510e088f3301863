"""Rows with several targets, of which each may lack some."""
