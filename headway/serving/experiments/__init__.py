"""Several packages behind one name: who gets which, when a bad one is stopped, and what came of it."""
