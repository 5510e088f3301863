"""Category values: each becomes a row of a table, with one row for all that is rare or was never seen."""
