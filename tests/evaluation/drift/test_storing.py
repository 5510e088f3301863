import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import PackageError
from headway.evaluation.drift import count_inputs, reference_from_json, reference_to_json


def test_what_is_read_back_counts_the_same(reference, draw):
    make_rows, _ = draw
    read = reference_from_json(reference_to_json(reference))
    assert read.views == reference.views
    rows = make_rows(np.random.default_rng(9), 200)
    for key, counts in count_inputs(reference, rows).items():
        assert counts.tolist() == count_inputs(read, rows)[key].tolist()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.update(format_version=2),
        lambda document: document.pop("views"),
        lambda document: document["views"][0].update(counts=[-1] * len(document["views"][0]["counts"])),
        lambda document: document["views"][0].update(aspect="soul"),
        lambda document: document["views"][0].update(counts=[1]),
        lambda document: document["kinds"].update(review="smell"),
        lambda document: document["codebooks"][0].update(shape=[2**40, 2**40]),
        lambda document: document["codebooks"][0].update(centres="AAAA"),
        lambda document: document.update(task="dream"),
    ],
)
def test_a_forged_one_is_refused(reference, spoil):
    document = json.loads(reference_to_json(reference))
    spoil(document)
    with pytest.raises(PackageError, match="cannot be understood"):
        reference_from_json(json.dumps(document).encode())


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_in_words(content):
    with pytest.raises(PackageError):
        reference_from_json(content)
