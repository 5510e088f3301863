"""What a prediction costs, what to ask for it, and from how many on it pays."""
