"""The weights of a graph in fewer bits."""
