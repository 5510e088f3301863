"""Labels proposed for rows that have none, in the order in which labelling them teaches the most."""
