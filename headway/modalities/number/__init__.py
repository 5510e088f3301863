"""Numbers: filled, bounded, made roughly symmetric and brought to one scale, with a flag where they were missing."""
