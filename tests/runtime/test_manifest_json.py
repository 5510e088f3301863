import contextlib
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import PackageError
from headway.runtime.manifest import Manifest, NumberFeed, Target
from headway.runtime.manifest_json import from_json, to_json
from tests.runtime.manifests import FULL, INPUTS

TEXT = to_json(FULL)


def forged(**changes):
    return json.dumps(json.loads(TEXT) | changes)


def test_a_manifest_survives_the_round_trip():
    assert from_json(TEXT) == FULL
    assert from_json(TEXT.encode()) == FULL
    regress = replace(FULL, task="regress", labels=(), threshold=None, costs=None, base=None)
    assert from_json(to_json(regress)) == regress


def test_a_manifest_that_was_changed_after_it_was_written_is_refused():
    changed = TEXT.replace(FULL.name, "another", 1)
    assert changed != TEXT
    with pytest.raises(PackageError, match="changed after it was written"):
        from_json(changed)
    document = json.loads(changed)
    del document["digest"]
    assert from_json(json.dumps(document)).name == "another"


SEVERAL = replace(
    FULL,
    task="several",
    labels=(),
    threshold=None,
    costs=None,
    targets=(Target("话题", "classify", ("a", "b"), "accuracy"), Target("price", "regress", (), "r2")),
)


def test_several_targets_survive_the_round_trip_and_others_do_not_mention_them():
    assert from_json(to_json(SEVERAL)) == SEVERAL
    assert SEVERAL.outputs == ("probabilities:话题", "values:price")
    assert [(part.task, part.target, part.labels) for part in SEVERAL.parts] == [
        ("classify", "话题", ("a", "b")),
        ("regress", "price", ()),
    ]
    assert "targets" not in json.loads(TEXT)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"targets": ()}, "the task is several and there are 0 targets"),
        ({"task": "classify"}, "the task is classify and there are 2 targets"),
        ({"targets": (Target("a", "regress"), Target("a", "regress"))}, "two targets have the same name"),
        ({"targets": (Target("a", "classify"), Target("b", "regress"))}, "of 'a': a classification has no labels"),
        ({"targets": (Target("a", "regress", (1, 2)), Target("", "regress"))}, "a target has no name"),
        ({"labels": ("x", "y")}, "belong to none of them"),
    ],
)
def test_several_targets_that_contradict_themselves_are_refused(changes, words):
    with pytest.raises(PackageError, match=words):
        to_json(replace(SEVERAL, **changes))


def test_figures_that_could_not_be_computed_become_null_and_nan():
    back = from_json(to_json(replace(FULL, metrics={"roc_auc": math.nan, "mae": np.float32(0.5)})))
    assert math.isnan(back.metrics["roc_auc"])
    assert back.metrics["mae"] == 0.5


@given(
    labels=st.lists(
        st.text(st.characters(exclude_categories=["Cs"])) | st.integers(), min_size=1, unique=True, max_size=9
    ),
    columns=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, unique=True, max_size=5),
    metrics=st.dictionaries(st.sampled_from(["f1", "准确率"]), st.floats(-1e9, 1e9)),
)
def test_any_names_and_labels_survive_the_round_trip(labels, columns, metrics):
    inputs = tuple(replace(INPUTS[1], name=name) for name in columns)
    manifest = Manifest(
        "m", "classify", "y", inputs, (NumberFeed("numbers", tuple(columns)),), tuple(labels), metrics=metrics
    )
    assert from_json(to_json(manifest)) == manifest


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format_version": 2}, "unknown format version"),
        ({"format_version": True}, "unknown format version"),
        ({"format_version": None}, "unknown format version"),
        ({"lables": []}, "did you mean 'labels'"),
        ({"name": 7}, "name\n  expected: text|manifest.json, name"),
        ({"task": "cluster"}, "classify or regress"),
        ({"task": []}, "classify or regress"),
        ({"seed": 1.5}, "a whole number"),
        ({"seed": True}, "a whole number"),
        ({"labels": "ab"}, "a list"),
        ({"labels": [None, "a"]}, r"labels\[0\]"),
        ({"labels": ["a", "a"]}, "two labels are equal"),
        ({"labels": [1, 1.0]}, "two labels are equal"),
        ({"labels": []}, "no labels"),
        ({"task": "regress"}, "a regression has labels"),
        ({"threshold": ["maybe", 0.5]}, "not a label"),
        ({"threshold": ["good", 1.5]}, "threshold is 1.5"),
        ({"threshold": ["good"]}, "a list of 2"),
        ({"costs": [[0, 1]]}, "2 by 2"),
        ({"costs": [[0, None], [1, 0]]}, "not a finite number"),
        ({"metrics": {"f1": "high"}}, r"metrics\.f1"),
        ({"metrics": {"f1": True}}, "a number"),
        ({"metrics": []}, "an object"),
        ({"files": {"../x": "0" * 64}}, "not allowed"),
        ({"files": {"manifest.json": "0" * 64}}, "not allowed"),
        ({"files": {"a": "0"}}, "sha256"),
        ({"feeds": []}, "no feed"),
        ({"feeds": [{"kind": "pickle"}]}, "one of number"),
        ({"feeds": [{"kind": "number", "name": "n", "columns": ["nowhere"]}]}, "not among the inputs"),
        ({"feeds": [{"kind": "number", "name": "n", "columns": []}]}, "reads no column"),
        ({"feeds": [{"kind": "characters", "name": "n", "columns": ["review", "city"]}]}, "a list of 1"),
        ({"feeds": [{"kind": "characters", "name": "n", "columns": ["review"], "max_length": 0}]}, "max_length of 0"),
        ({"feeds": [{"kind": "tokens", "name": "n", "columns": ["review"], "tokenizer": "x"}]}, "not listed"),
        ({"feeds": [{"kind": "number", "name": "n", "columns": ["stars"]}] * 2}, "two feeds"),
        ({"inputs": json.loads(TEXT)["inputs"] * 2}, "two inputs"),
        ({"inputs": [{"name": "a"}]}, "the key 'modality'"),
        ({"inputs": 3}, "a list"),
    ],
)
def test_a_forged_manifest_is_refused_by_name(changes, words):
    with pytest.raises(PackageError, match=words):
        from_json(forged(**changes))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"a": 1, "a": 2}',
        '{"seed": NaN}',
        "[" * 100_000,
        "1" * 5000,
        b"\xff\xfe",
        "\ud800",
        '"\\ud800"',
        TEXT.replace('"reviews"', '"\\ud800"'),
        TEXT.replace(": 7", ": 1e999"),
        TEXT.replace("0.91", "1e999"),
    ],
)
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(PackageError, match=r"manifest|format version"):
        from_json(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(json.loads(TEXT))), JSON)
def test_any_value_in_any_key_gives_a_manifest_or_a_package_error(key, value):
    with contextlib.suppress(PackageError):
        assert isinstance(from_json(forged(**{key: value})), Manifest)


@given(st.integers(0, len(TEXT)), st.binary(min_size=1, max_size=4))
def test_any_changed_byte_gives_a_manifest_or_a_package_error(position, junk):
    content = TEXT.encode()
    with contextlib.suppress(PackageError):
        assert isinstance(from_json(content[:position] + junk + content[position + len(junk) :]), Manifest)
