import json
import os
import stat
import time

import pytest

from headway.errors import RunError
from headway.serving import keys as module
from headway.serving.keys import KeyRing, add_key, read_keys, revoke_key


def test_only_a_hash_is_stored_and_only_the_owner_may_read_it(tmp_path):
    path = tmp_path / "keys.json"
    key = add_key(path, name="shop", rate="100/s")
    assert key.split("_", 2)[2] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    place, found = KeyRing(path).find(key)
    assert (place, found.name, found.rate, found.rights) == (0, "shop", "100/s", ("predict",))


@pytest.mark.parametrize("wrong", ["", "hw_", "hw_00000000_x", "x", "hw_\u4e2d_\udcff", "Bearer"])
def test_other_keys_are_not_found(tmp_path, wrong):
    path = tmp_path / "keys.json"
    key = add_key(path, name="shop")
    ring = KeyRing(path)
    assert ring.find(wrong) is None
    assert ring.find(key[:-1]) is None
    assert ring.find(key + "x") is None


def test_a_running_ring_sees_new_and_revoked_keys_and_outlives_a_broken_file(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_LOOK", 0)
    path = tmp_path / "keys.json"
    first = add_key(path, name="a")
    ring = KeyRing(path)
    second = add_key(path, name="b")
    assert ring.find(second)
    revoke_key(path, "a")
    assert ring.find(first) is None
    path.write_text("{")
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 10**9))
    assert ring.find(second)


UNKNOWN_RATE = '{"keys": [{"id": "a", "name": "b", "salt": "c", "sha256": "d", "rate": "1/x"}]}'


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": [{"id": 1}]}', '{"keys": 5}', UNKNOWN_RATE])
def test_files_that_are_no_key_files_are_refused_in_words(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(RunError):
        read_keys(path)


def test_revoking_asks_for_one_key_that_is_there(tmp_path):
    path = tmp_path / "keys.json"
    add_key(path, name="a")
    add_key(path, name="a")
    with pytest.raises(RunError, match="which key"):
        revoke_key(path, "a")
    identity = json.loads(path.read_text())["keys"][0]["id"]
    assert revoke_key(path, identity).revoked
    assert revoke_key(path, "a").id != identity


def test_rates_are_read_strictly(tmp_path):
    for text in ("0/s", "5", "5/d", "-1/s", "1.5/s"):
        with pytest.raises(RunError, match="a rate cannot be read"):
            add_key(tmp_path / "keys.json", name="a", rate=text)
