"""How good is it: metrics with intervals, slices, mistakes, comparison."""
