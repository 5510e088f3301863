"""The kinds of personal data that are looked for."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal[
    "email", "phone", "resident_id", "bank_card", "iban", "ssn", "passport", "plate",
    "ip", "url", "secret", "account", "address", "name",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
