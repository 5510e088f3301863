import json
import time

import pytest

from headway.errors import StoreError
from headway.serving.learning import Noted
from headway.serving.observing import Served
from headway.serving.store.opening import open_store
from headway.serving.store.recorder import Recorder


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    events = [
        Noted(Served(f"r{n}", "m", "v", ({"x": 1},), ({"prediction": "a"},), 0.01, f"user {n}"), time.time() - age)
        for n, age in enumerate((0, 10, 40 * 86_400))
    ]
    Recorder(open_store(url))(events)
    return url


def test_what_is_kept_is_shown(command, url):
    assert "3 predictions, 0 answers, 3 users" in command("store", "show", "--store", url)
    assert "3 条预测" in command("store", "show", "--store", url, "--lang", "zh")
    assert json.loads(command("store", "show", "--store", url, "--json"))["predictions"] == 3


def test_old_rows_and_persons_are_forgotten(command, url):
    assert "deleted 1 predictions" in command("store", "prune", "--older-than", "30d", "--store", url)
    assert "已删除 1 条预测" in command("store", "forget", "user 1", "--store", url, "--lang", "zh")
    assert json.loads(command("store", "show", "--store", url, "--json"))["predictions"] == 1
    with pytest.raises(StoreError, match="no age"):
        command("store", "prune", "--older-than", "old", "--store", url)
