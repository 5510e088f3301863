"""Model files of other layouts, turned into folders in the layout of Transformers."""
