"""Lets `python -m headway.cli` do what `headway` does."""

from __future__ import annotations

from headway.cli import main

main()
