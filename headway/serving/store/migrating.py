"""Bring a store that an older Headway made up to date, in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Formats that only lack columns which may stay empty in the rows they have.
OLDER = frozenset({"1", "2"})


def migrate(connection: Connection) -> None:
    """Add the columns and indexes that a store of one of the `OLDER` formats lacks, and note the new format.

    All of it happens in the transaction of `connection`; raises SQLAlchemy's errors.
    """
    from sqlalchemy import inspect, update
    from sqlalchemy.schema import CreateColumn

    from headway.serving.store.tables import FORMAT_VERSION, metadata, settings

    found = inspect(connection)
    for table in metadata.sorted_tables:
        known = {column["name"] for column in found.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                described = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {described}")
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    connection.execute(update(settings).where(settings.c.name == "format").values(value=str(FORMAT_VERSION)))
