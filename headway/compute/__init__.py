"""Where work runs, and how long it may."""
