"""SQLite and PostgreSQL, by URL and query."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

import polars as pl

from headway.data.sources.dialect import name_columns
from headway.data.sources.json_records import as_series
from headway.data.sources.part import Part, whole_part
from headway.errors import DataError, MissingExtraError
from headway.project.schema import Reading

_QUERY_IN_URL = "the URL may carry it too, in quotes on a command line: '...?query=SELECT * FROM reviews'"


def is_sqlite(path: Path) -> bool:
    """Tell whether a file is an SQLite database, by its first bytes (SQLite file format, section 1.3)."""
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def read_sqlite(url: str, folder: Path, reading: Reading) -> Part:
    """Read `sqlite:///relative/path.db?query=...` (four slashes for an absolute path), opened read-only.

    Without a query a database with a single table gives that table. Raises DataError for a missing file, a missing
    query and an SQL error.
    """
    parts = urlsplit(url)
    path = folder / parts.path.removeprefix("/")
    if not path.is_file():
        raise DataError(
            "no such database", where=url, got=str(path), fix="sqlite:///name.db is relative to the project file"
        )
    connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)
    try:
        query = reading.query or _query_of(parts.query) or _only_table(connection, url)
        cursor = connection.execute(query)
        names = [item[0] for item in cursor.description or ()]
        return _part(f"{path}", names, cursor.fetchall(), query)
    except sqlite3.Error as error:
        raise DataError("SQLite refused", where=url, got=str(error), fix="check reading.query") from error
    finally:
        connection.close()


def read_postgresql(url: str, reading: Reading) -> Part:
    """Read a query from `postgresql://user@host/database`, in a read-only transaction.

    Raises DataError without a query and for every error of the server, MissingExtraError without psycopg. The
    password is never shown.
    """
    try:
        import psycopg
    except ImportError as error:
        raise MissingExtraError("postgres", purpose="reading from PostgreSQL") from error
    parts = urlsplit(url)
    shown = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    query = reading.query or _query_of(parts.query)
    if not query:
        raise DataError("no query", where=shown, expected="reading: {query: SELECT ...}", fix=_QUERY_IN_URL)
    options = "&".join(item for item in parts.query.split("&") if item and not item.startswith("query="))
    try:
        with psycopg.connect(urlunsplit((*parts[:3], options, "")), connect_timeout=10) as connection:
            connection.read_only = True
            cursor = connection.execute(query.encode())
            names = [column.name for column in cursor.description or ()]
            return _part(shown, names, cursor.fetchall() if names else [], query)
    except psycopg.Error as error:
        message = str(error).replace(parts.password, "***") if parts.password else str(error)
        raise DataError(
            "PostgreSQL refused", where=shown, got=message.strip(), fix="check the URL and the query"
        ) from error


def _query_of(options: str) -> str | None:
    return parse_qs(options).get("query", [None])[0]


def _only_table(connection: sqlite3.Connection, url: str) -> str:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
    tables = [str(row[0]) for row in found if not str(row[0]).startswith("sqlite_")]
    if len(tables) != 1:
        raise DataError(
            "no query",
            where=url,
            expected="reading: {query: SELECT ...}, as the database does not hold exactly one table",
            got="tables " + (", ".join(tables) or "none"),
            fix=_QUERY_IN_URL,
        )
    name = tables[0].replace('"', '""')
    return f'SELECT * FROM "{name}"'  # noqa: S608 - the name comes from the database itself, and is quoted


def _part(file: str, names: Sequence[str], rows: Sequence[Sequence[object]], query: str) -> Part:
    if not names:
        raise DataError("the query returns no table", where=file, got=query)
    columns = name_columns(names, where=f"query {query}")
    cells = zip(*rows, strict=True) if rows else [[] for _ in columns]
    frame = pl.DataFrame([as_series(name, list(column)) for name, column in zip(columns, cells, strict=True)])
    return whole_part(file, frame)
