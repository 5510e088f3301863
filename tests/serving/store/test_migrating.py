import threading

import pytest
from sqlalchemy import inspect

from headway.serving.store.deleting import forget_subject
from headway.serving.store.opening import open_store, prepare, read_setting
from headway.serving.store.reading import read_answered, read_traffic
from headway.serving.store.recorder import Recorder
from headway.serving.store.tables import FORMAT_VERSION, metadata

# What came with formats 2 and 3.
NEW = {
    "headway_feedback": ("value", "subject"),
    "headway_predictions": ("share",),
    "headway_serving": ("reads", "labels"),
}


def make_old(store):
    """Bring a store back to format 1."""
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX headway_feedback_subject")
        for table, columns in NEW.items():
            for column in columns:
                connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.exec_driver_sql("UPDATE headway_settings SET value = '1' WHERE name = 'format'")


@pytest.fixture
def old(store, served, told):
    """A store of format 1 with two rows in it."""
    Recorder(store)([served(1, at=5.0, user="ann"), served(2, at=6.0), told(1)])
    make_old(store)
    return store


def test_an_old_store_opens_with_all_it_holds_and_takes_what_is_new(old, served, told):
    prepare(old)
    assert [(each.truth, each.value) for each in read_answered(old)] == [("好评", None), (None, None)]
    assert [each.rows for each in read_traffic(old, "reviews", since=0.0, until=10.0, step=10.0)] == [2]
    Recorder(old)([served(3, at=7.0), told(3, None, value=12.5, user="ann")])
    assert [each.value for each in read_answered(old)] == [None, None, 12.5]
    assert forget_subject(old, "ann").feedback == 2
    with old.engine.connect() as connection:
        assert read_setting(connection, "format") == str(FORMAT_VERSION)
        for table in metadata.sorted_tables:
            found = inspect(connection)
            assert {each["name"] for each in found.get_columns(table.name)} == set(table.columns.keys())
            assert {each.name for each in table.indexes} <= {each["name"] for each in found.get_indexes(table.name)}


def test_workers_that_start_together_all_get_a_new_one(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    make_old(open_store(url))
    opened = []
    threads = [threading.Thread(target=lambda: opened.append(open_store(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
