"""Training PyTorch networks: losses, optimisers, schedules, the loop."""
