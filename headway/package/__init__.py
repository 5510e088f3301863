"""Write, check and open packages."""
