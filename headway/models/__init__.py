"""The candidate families, one folder each."""
