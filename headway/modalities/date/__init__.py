"""Points in time: their calendar parts, cyclic and plain, computed in the graph from seconds."""
