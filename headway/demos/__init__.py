"""Examples on real data that a user can run and edit."""
