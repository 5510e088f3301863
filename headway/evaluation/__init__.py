"""How good is it: metrics with intervals, slices, mistakes, calibration, decisions, comparison."""
