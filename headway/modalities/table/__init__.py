"""All columns of a table together: numbers, categories, dates and short texts as one matrix of features."""
