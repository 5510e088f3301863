"""Checksums and rules that tell a number of a kind from any other number."""

from __future__ import annotations

import ipaddress
import re
from datetime import date

# GB/T 2260: the first two digits of a resident identity number name a province.
_PROVINCES = frozenset(
    map(
        str,
        (*range(11, 16), 21, 22, 23, *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83),
    )
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# ISO/IEC 7812: how numbers of cards begin, and how many digits they have.
_CARDS = re.compile(r"3[47]\d{13}|4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|6\d{15,18}|9\d{15,18}|35\d{14}")


def is_resident_id(number: str) -> bool:
    """Tell whether 18 characters are a Chinese resident identity number: region, birthday, check digit (GB 11643)."""
    digits = number[:17]
    if len(number) != 18 or not looks_like_resident_id(number):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def looks_like_resident_id(number: str) -> bool:
    """Tell whether 15 or 18 characters name a region and a possible birthday."""
    if number[:2] not in _PROVINCES or not number[:-1].isdigit():
        return False
    born = number[6:14] if len(number) == 18 else f"19{number[6:12]}"
    try:
        day = date(int(born[:4]), int(born[4:6]), int(born[6:]))
    except ValueError:
        return False
    return date(1890, 1, 1) <= day <= date.today()  # noqa: DTZ011 - a day is exact enough


def is_card(number: str) -> bool:
    """Tell whether digits are a payment card's: known beginning and length, Luhn's check digit (ISO/IEC 7812-1)."""
    return _CARDS.fullmatch(number) is not None and len(set(number)) > 1 and _luhn(number)


def _luhn(number: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def is_iban(text: str) -> bool:
    """Tell whether text is an international bank account number (ISO 13616): remainder 1 modulo 97."""
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1


def is_ip(text: str) -> bool:
    """Tell whether text is an IP address that names a machine (not 0.0.0.0, not loopback)."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)


def is_ssn(text: str) -> bool:
    """Tell whether text can be a US social security number: no area 000, 666 or 9xx, no group 00, no serial 0000."""
    area, group, serial = text.split("-")
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def is_international_phone(text: str) -> bool:
    """Tell whether text after a plus has as many digits as E.164 allows."""
    return 8 <= sum(character.isdigit() for character in text) <= 15
