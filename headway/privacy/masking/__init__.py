"""Find personal data in Chinese and English text and put a word in its place, so that it is never written down."""

from __future__ import annotations

from headway.privacy.masking.finding import Found, Masked, find, mask
from headway.privacy.masking.kinds import KINDS, Kind
from headway.privacy.masking.rows import mask_row

__all__ = ["KINDS", "Found", "Kind", "Masked", "find", "mask", "mask_row"]
