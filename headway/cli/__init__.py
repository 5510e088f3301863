"""Commands, progress, messages."""

from __future__ import annotations


def main() -> None:
    """Run the command line; the entry point of `headway`."""
    from headway.cli.app import run_app

    run_app()
