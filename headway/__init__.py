"""Headway: from a small team's raw data to a small, proven, packaged model."""

from __future__ import annotations

__version__ = "0.1.0"
