"""Small families that learn from a large model's answers."""
