"""A package that writes text as a folder that Transformers opens."""

from headway.export.transformers.folder import make_folder

__all__ = ["make_folder"]
