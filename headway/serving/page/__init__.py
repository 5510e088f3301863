"""The page at `/`: try the model, correct it, watch it; server-rendered, nothing loaded from elsewhere."""

from __future__ import annotations
