"""A container image that serves the package without PyTorch."""

from headway.export.docker.image import make_image

__all__ = ["make_image"]
