"""Read, profile, clean and split."""
