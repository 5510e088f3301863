"""The tournament: which candidate fits this data and this machine."""
