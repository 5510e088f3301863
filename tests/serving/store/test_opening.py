import pytest

from headway.errors import StoreError
from headway.serving.store.opening import hash_subject, open_store, prepare
from headway.serving.store.tables import FORMAT_VERSION


def test_sqlite_writes_ahead(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_preparing_twice_changes_nothing(store):
    prepare(store)
    prepare(store)


@pytest.mark.parametrize("url", ["", "mysql://x/y", "store.db", "postgresql"])
def test_other_urls_are_refused(url):
    with pytest.raises(StoreError, match="not the URL of a store"):
        open_store(url)


def test_a_store_that_is_not_there_is_not_made_for_reading(tmp_path):
    with pytest.raises(StoreError, match="no store"):
        open_store(f"sqlite:///{tmp_path}/none.db", create=False)
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path}/no/folder/none.db")


def test_passwords_are_not_shown():
    with pytest.raises(StoreError) as caught:
        open_store("postgresql://me:hidden@/x?host=/nowhere")
    assert "hidden" not in str(caught.value)


def test_another_format_is_refused(store):
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE headway_settings SET value = '99' WHERE name = 'format'")
    with pytest.raises(StoreError, match="another version"):
        prepare(store)
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE headway_settings SET value = '{FORMAT_VERSION}' WHERE name = 'format'")


def test_subjects_hash_by_the_key():
    assert hash_subject("00" * 32, "ann") != hash_subject("01" * 32, "ann")
    assert hash_subject("00" * 32, "ann") == hash_subject("00" * 32, "ann")
