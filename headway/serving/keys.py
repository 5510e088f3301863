"""API keys: random, shown once, kept as hashes in a file that may be changed while the service runs."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from headway.errors import RunError

Right = Literal["predict", "deploy"]
RIGHTS: tuple[Right, ...] = ("predict", "deploy")
MOST_KEYS = 1024
_PREFIX = "hw"
_UNITS = {"s": 1, "m": 60, "h": 3600}
_RATE = re.compile(r"([1-9]\d{0,8})/([smh])")
# How often the file is looked at for changes, in seconds.
_LOOK = 1.0


@dataclass(frozen=True)
class Key:
    """One key as it stands in the file: `sha256` is of salt and secret, `rate` is such as "100/s", "" for no bound.

    A secret of 256 random bits needs no slow hash: nobody can guess it (NIST SP 800-63B, section 5.1.2.2 asks for slow
    ones only below 112 bits).
    """

    id: str
    name: str
    salt: str
    sha256: str
    rights: tuple[Right, ...] = ("predict",)
    rate: str = ""
    created: str = ""
    revoked: str = ""

    def fits(self, secret: str) -> bool:
        """Tell whether `secret` is the one this key was made with, in constant time."""
        return hmac.compare_digest(_hash(self.salt, secret), self.sha256)


def add_key(path: Path, *, name: str, rights: tuple[Right, ...] = ("predict",), rate: str = "") -> str:
    """Add a key to the file (made where absent, readable by its owner only) and return it; it is kept nowhere."""
    if rate:
        read_rate(rate)
    keys = read_keys(path) if path.exists() else []
    if len(keys) >= MOST_KEYS:
        raise RunError("the file holds too many keys", where=str(path), expected=f"at most {MOST_KEYS}")
    identity, secret, salt = secrets.token_hex(4), secrets.token_urlsafe(32), secrets.token_hex(8)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    _write(path, [*keys, Key(identity, name, salt, _hash(salt, secret), rights, rate, created)])
    return f"{_PREFIX}_{identity}_{secret}"


def revoke_key(path: Path, identity: str) -> Key:
    """Mark a key, by its id or name, as revoked; a running service sees it within a second."""
    keys = read_keys(path)
    found = [key for key in keys if identity in (key.id, key.name) and not key.revoked]
    if len(found) != 1:
        names = ", ".join(f"{key.id} ({key.name})" for key in keys if not key.revoked) or "none"
        raise RunError("which key?", where=str(path), expected=f"the id of one key: {names}", got=identity)
    gone = Key(**{**asdict(found[0]), "revoked": datetime.now(UTC).isoformat(timespec="seconds")})
    _write(path, [gone if key.id == gone.id else key for key in keys])
    return gone


def read_keys(path: Path) -> list[Key]:
    """Return the keys of a file; raises `RunError` that says what is wrong with it."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        keys = [_key(entry) for entry in document["keys"]]
    except OSError as error:
        raise RunError("the keys cannot be read", where=str(path), got=str(error), fix="headway keys add") from error
    except (ValueError, TypeError, KeyError) as error:
        expected = 'a file that "headway keys add" made'
        raise RunError("the keys cannot be read", where=str(path), expected=expected, got=repr(error)[:200]) from error
    if len({key.id for key in keys}) != len(keys):
        raise RunError("two keys have the same id", where=str(path))
    return keys


def read_rate(text: str) -> tuple[int, int]:
    """Return requests and seconds of a rate such as "100/s"; raises `RunError`."""
    found = _RATE.fullmatch(text)
    if found is None:
        raise RunError("a rate cannot be read", expected="such as 100/s, 6000/m or 100000/h", got=text)
    return int(found[1]), _UNITS[found[2]]


class KeyRing:
    """The keys of a file, read again when it changes; a file that cannot be read changes nothing."""

    def __init__(self, path: Path) -> None:
        """Read the file; raises `RunError`."""
        self._path, self._looked = path, time.monotonic()
        self._stamp = self._stat()
        self._keys = self._by_id(read_keys(path))

    def find(self, given: str) -> tuple[int, Key] | None:
        """Return the key that was given, with its place in the file; None for an unknown or revoked one."""
        self._refresh()
        prefix, _, rest = given.partition("_")
        identity, _, secret = rest.partition("_")
        found = self._keys.get(identity) if prefix == _PREFIX else None
        if found is None or found[1].revoked or not found[1].fits(secret):
            return None
        return found

    def _refresh(self) -> None:
        if time.monotonic() - self._looked < _LOOK:
            return
        self._looked = time.monotonic()
        stamp = self._stat()
        if stamp == self._stamp:
            return
        try:
            self._keys, self._stamp = self._by_id(read_keys(self._path)), stamp
        except RunError:
            return

    def _stat(self) -> tuple[int, int, int]:
        try:
            state = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (state.st_mtime_ns, state.st_size, state.st_ino)

    @staticmethod
    def _by_id(keys: list[Key]) -> Mapping[str, tuple[int, Key]]:
        return {key.id: (place, key) for place, key in enumerate(keys)}


def _key(entry: dict[str, Any]) -> Key:
    key = Key(**{**entry, "rights": tuple(entry.get("rights", ("predict",)))})
    if not all(isinstance(value, str) for name, value in asdict(key).items() if name != "rights"):
        raise TypeError(f"the key {key.id!r} holds something else than text")
    if key.rate:
        read_rate(key.rate)
    if set(key.rights) - set(RIGHTS):
        raise ValueError(f"the key {key.id!r} has rights that are not known: {key.rights}")
    return key


def _hash(salt: str, secret: str) -> str:
    return hashlib.sha256(f"{salt}:{secret}".encode("utf-8", "replace")).hexdigest()


def _write(path: Path, keys: list[Key]) -> None:
    """Write the file as a whole, for its owner's eyes only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump({"keys": [asdict(key) for key in keys]}, file, indent=2, ensure_ascii=False)
        file.write("\n")
    draft.replace(path)
