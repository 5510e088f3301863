"""What a manifest may say of a history, and of rows written as texts."""

from dataclasses import replace

import pytest

from headway.errors import PackageError
from headway.runtime.history.naming import feature_names
from headway.runtime.manifest import History, NumberFeed, RowFeed
from headway.runtime.manifest_json import from_json, history_from_json, history_to_json, to_json
from tests.runtime.manifests import FULL

HISTORY = History("when", ("city",), ("stars",), (86_400.0,), 3600.0, "good", (20, 36), 1.5e9, 1.6e9, 10, (3,))
TOLD = NumberFeed("told", feature_names(HISTORY, FULL.target)[:3])
ROW = RowFeed("row:1", ("stars", "city"), ("number", "category"))
WHOLE = replace(FULL, history=HISTORY, feeds=(*FULL.feeds, TOLD, ROW), files={**FULL.files, "history.bin": "2" * 64})


def test_a_history_and_a_row_feed_survive_the_round_trip():
    assert from_json(to_json(WHOLE)) == WHOLE
    assert history_from_json(history_to_json(HISTORY)) == HISTORY


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time": "never"}, "reads 'never', which is not among the inputs"),
        ({"keys": ()}, "has 0 keys"),
        ({"keys": ("city", "city"), "distinct": (3, 3)}, "one of them twice"),
        ({"windows": ()}, "no spans of time"),
        ({"windows": (-1.0,)}, "no spans of time"),
        ({"windows": (float("nan"),)}, "no spans of time"),
        ({"delay": 1e30}, "no spans of time"),
        ({"scales": (20,)}, "how its values are summed"),
        ({"scales": (20, 5000)}, "how its values are summed"),
        ({"distinct": (11,)}, "more keys than rows"),
        ({"distinct": ()}, "how many rows and keys"),
        ({"events": -1, "distinct": (-1,)}, "how many rows and keys"),
        ({"event": "great"}, "counts 'great', which is not a label"),
        ({"since": 1e15}, "no point in time"),
    ],
)
def test_a_history_that_contradicts_itself_is_refused(changes, words):
    forged = replace(WHOLE, history=replace(HISTORY, **changes), feeds=FULL.feeds)
    with pytest.raises(PackageError, match=words):
        to_json(forged)


def test_the_past_must_be_there_and_told_columns_need_a_history():
    with pytest.raises(PackageError, match=r"needs the file 'history.bin'"):
        to_json(replace(WHOLE, files=FULL.files))
    with pytest.raises(PackageError, match="not among the inputs"):
        to_json(replace(WHOLE, history=None))


@pytest.mark.parametrize("changes", [{"kinds": ("number",)}, {"digits": 0}, {"tokenizer": "none.json"}])
def test_a_row_feed_that_contradicts_itself_is_refused(changes):
    with pytest.raises(PackageError, match="row:1"):
        to_json(replace(WHOLE, feeds=(*FULL.feeds, TOLD, replace(ROW, **changes))))
