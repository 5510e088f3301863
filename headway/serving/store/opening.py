"""Open the store that a URL names: SQLite in WAL mode, or PostgreSQL."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.errors import MissingExtraError, StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

DEFAULT_URL = "sqlite:///headway.db"
_BUSY_SECONDS = 5
_ATTEMPTS = 40


@dataclass(frozen=True)
class Store:
    """An open store; safe to share between threads. Opening touches nothing until `prepare` or the first write."""

    engine: Engine
    name: str

    @property
    def is_sqlite(self) -> bool:
        """Tell whether it is a file of this machine's."""
        return self.engine.dialect.name == "sqlite"

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def open_store(url: str = DEFAULT_URL, *, create: bool = True) -> Store:
    """Return the store at `sqlite:///file.db` or `postgresql://user@host/name` and make its tables where absent.

    Without `create` a SQLite file that is not there is an error instead of a new store. Raises `StoreError` where it
    cannot be reached, and `MissingExtraError` without SQLAlchemy or the driver.
    """
    store = connect(url)
    database = store.engine.url.database
    if store.is_sqlite and database and not create and not Path(database).is_file():
        raise StoreError(
            "there is no store", where=store.name, expected="a file", fix="name it with --store sqlite:///PATH"
        )
    with reaching(store, "cannot be opened"):
        prepare(store)
    return store


def connect(url: str) -> Store:
    """Return the store at `url` without touching it: a server starts though its database is away."""
    try:
        from sqlalchemy import create_engine, event
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError
        from sqlalchemy.pool import NullPool
    except ImportError as error:
        raise MissingExtraError("serve", purpose="the store of predictions") from error
    try:
        place = make_url(re.sub(r"^(postgresql|postgres)://", "postgresql+psycopg://", url))
    except ArgumentError as error:
        raise _refuse(url) from error
    name = place.render_as_string(hide_password=True)
    if place.get_backend_name() == "sqlite":
        # A connection for each piece of work: one that outlives its file would write into nothing.
        engine = create_engine(place, poolclass=NullPool, connect_args={"timeout": _BUSY_SECONDS})
        event.listen(engine, "connect", _set_up_sqlite)
    elif place.get_backend_name() == "postgresql":
        try:
            import psycopg  # noqa: F401 - SQLAlchemy would say so in its own words, later
        except ImportError as error:
            raise MissingExtraError("postgres", purpose="a store in PostgreSQL") from error
        engine = create_engine(place, pool_pre_ping=True, pool_size=2, connect_args={"connect_timeout": _BUSY_SECONDS})
    else:
        raise _refuse(url)
    return Store(engine, name)


def check_place(store: Store) -> None:
    """Raise `StoreError` for a file of SQLite in a folder that is not there: no waiting would make it."""
    database = store.engine.url.database
    if store.is_sqlite and database and not Path(database).absolute().parent.is_dir():
        raise StoreError("the folder of the store is not there", where=store.name,
                         expected=f"a folder that is there: {Path(database).absolute().parent}",
                         fix="make it, or name another file")  # fmt: skip


def prepare(store: Store) -> None:
    """Make the tables and the key of the subjects' hashes where absent; raises SQLAlchemy's errors.

    Workers that start together all try; SQLite makes the later ones start over.
    """
    from sqlalchemy.exc import OperationalError

    for attempt in range(_ATTEMPTS):
        try:
            _prepare(store)
        except OperationalError as error:
            collided = any(word in str(error.orig) for word in ("locked", "already exists", "duplicate column"))
            if not collided or attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.05)
        else:
            return


def _prepare(store: Store) -> None:
    from sqlalchemy.dialects import postgresql, sqlite

    from headway.serving.store.migrating import OLDER, migrate
    from headway.serving.store.tables import FORMAT_VERSION, metadata, settings

    insert = sqlite.insert if store.is_sqlite else postgresql.insert
    with store.engine.begin() as connection:
        if not store.is_sqlite:
            # Two workers that start together must not both create the tables.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7426901)")
        metadata.create_all(connection)
        fresh = [
            {"name": "format", "value": str(FORMAT_VERSION)},
            {"name": "pepper", "value": secrets.token_hex(32)},
        ]
        connection.execute(insert(settings).on_conflict_do_nothing(), fresh)
        found = read_setting(connection, "format")
        if found in OLDER:
            migrate(connection)
            found = read_setting(connection, "format")
    if found != str(FORMAT_VERSION):
        raise StoreError(
            "the store was made by another version of Headway",
            where=store.name,
            expected=f"format {FORMAT_VERSION}",
            got=str(found),
            fix="name another store",
        )


def read_setting(connection: Connection, name: str) -> str | None:
    """Return a setting of the store."""
    from sqlalchemy import select

    from headway.serving.store.tables import settings

    value: str | None = connection.execute(select(settings.c.value).where(settings.c.name == name)).scalar()
    return value


def hash_subject(pepper: str, subject: str) -> str:
    """Return what is kept instead of a user's id: an HMAC under the store's own key.

    Whoever has the whole store can still test a guessed id against it: it is a pseudonym, not anonymity.
    """
    return hmac.new(bytes.fromhex(pepper), subject.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


@contextmanager
def reaching(store: Store, what: str) -> Iterator[None]:
    """Turn SQLAlchemy's errors inside the block into a `StoreError` that says `what` went wrong."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()
        raise StoreError(
            f"the store {what}", where=store.name, got=cause[0] if cause else type(error).__name__
        ) from error


def _set_up_sqlite(connection: Any, _: Any) -> None:
    """Let readers and one writer work at once, and survive a killed process."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _refuse(url: str) -> StoreError:
    shown = url.rsplit("@", maxsplit=1)[-1] if "@" in url else url
    return StoreError(
        "this is not the URL of a store",
        expected="sqlite:///FILE or postgresql://USER@HOST/NAME",
        got=shown,
        fix=f"the usual one is {DEFAULT_URL}" + (f" (file: {os.fspath(shown)})" if shown.endswith(".db") else ""),
    )
