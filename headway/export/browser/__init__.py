"""A static page that runs the package in the browser."""

from headway.export.browser.site import make_site

__all__ = ["make_site"]
