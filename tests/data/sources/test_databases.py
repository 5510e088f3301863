import importlib.util
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing

import pytest

from headway.data.sources.databases import read_postgresql, read_sqlite
from headway.errors import DataError, MissingExtraError
from headway.project.schema import Reading


@pytest.fixture
def database(tmp_path):
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE reviews (text TEXT, stars INTEGER, price REAL)")
        connection.executemany("INSERT INTO reviews VALUES (?, ?, ?)", [("很好", 5, 9.5), ("bad", 1, None)])
        connection.commit()
    return tmp_path


def test_sqlite_by_query(database):
    part = read_sqlite("sqlite:///shop.db?query=SELECT stars, text FROM reviews WHERE stars > 2", database, Reading())
    assert part.frame.rows() == [(5, "很好")]
    again = read_sqlite("sqlite:///shop.db", database, Reading(query="SELECT price AS p FROM reviews"))
    assert again.frame["p"].to_list() == [9.5, None]


def test_sqlite_with_one_table_needs_no_query_and_an_absolute_path_works(database):
    part = read_sqlite(f"sqlite:////{str(database / 'shop.db').lstrip('/')}", database / "elsewhere", Reading())
    assert part.frame.columns == ["text", "stars", "price"]


def test_sqlite_is_opened_for_reading_only(database):
    with pytest.raises(DataError, match="SQLite refused"):
        read_sqlite("sqlite:///shop.db", database, Reading(query="DELETE FROM reviews"))


def test_sqlite_errors_are_clear(database):
    with pytest.raises(DataError, match="no such database"):
        read_sqlite("sqlite:///none.db", database, Reading())
    with pytest.raises(DataError, match="nothing_here"):
        read_sqlite("sqlite:///shop.db", database, Reading(query="SELECT * FROM nothing_here"))
    with closing(sqlite3.connect(database / "shop.db")) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
    with pytest.raises(DataError, match="orders, reviews"):
        read_sqlite("sqlite:///shop.db", database, Reading())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A PostgreSQL server of its own on a Unix socket, where the programs for one are installed."""
    if shutil.which("initdb") is None or shutil.which("pg_ctl") is None or not importlib.util.find_spec("psycopg"):
        pytest.skip("initdb, pg_ctl or psycopg is not installed")
    home = tempfile.mkdtemp(prefix="pg")
    # PostgreSQL refuses to run as root.
    options = {"user": "postgres"} if os.getuid() == 0 else {}
    if options:
        shutil.chown(home, "postgres")

    def run(*command):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **options)

    run("initdb", "-D", f"{home}/data", "-A", "trust", "-U", "tester", "-N")
    flags = f"-k {home} -c listen_addresses='' -c fsync=off"
    run("pg_ctl", "-D", f"{home}/data", "-w", "-l", f"{home}/log", "-o", flags, "start")
    yield f"postgresql://tester:secret@/postgres?host={home}"
    run("pg_ctl", "-D", f"{home}/data", "-w", "-m", "immediate", "stop")
    shutil.rmtree(home, ignore_errors=True)


def test_postgresql_by_query(server):
    query = "SELECT * FROM (VALUES ('很好', 5, 1.5::numeric), ('bad', 1, NULL)) AS t(text, stars, price)"
    part = read_postgresql(server, Reading(query=query))
    assert part.frame.rows() == [("很好", 5, 1.5), ("bad", 1, None)]
    in_url = read_postgresql(server + "&query=SELECT+7+AS+n", Reading())
    assert in_url.frame.rows() == [(7,)]


def test_postgresql_is_read_only_and_its_errors_hide_the_password(server):
    with pytest.raises(DataError, match="read-only") as caught:
        read_postgresql(server, Reading(query="CREATE TABLE t (a int)"))
    assert "secret" not in str(caught.value)
    with pytest.raises(DataError, match="no query"):
        read_postgresql(server, Reading())


def test_a_server_that_is_not_there_is_an_error():
    pytest.importorskip("psycopg")
    with pytest.raises(DataError, match="PostgreSQL refused") as caught:
        read_postgresql("postgresql://me:hunter2@127.0.0.1:1/none", Reading(query="SELECT 1"))
    assert "hunter2" not in str(caught.value)


def test_without_psycopg_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"headway\[postgres\]"):
        read_postgresql("postgresql://localhost/x", Reading(query="SELECT 1"))
