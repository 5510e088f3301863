"""Texts laid end to end: what is shared, and where gradients go."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from headway.models.lora.packing import collect, common_start, pack, spread  # noqa: E402 - after the skip

texts = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=6)


@settings(deadline=None, max_examples=50)
@given(texts)
def test_every_text_can_be_read_back(rows):
    packed = pack([np.array(row) for row in rows])
    for number, row in enumerate(rows):
        places = packed.place[number, : len(row)]
        assert packed.ids[places].tolist() == row
        assert packed.positions[places].tolist() == [*range(len(row))]
    # Each beginning stands there once.
    assert len(packed.ids) == len({tuple(row[: size + 1]) for row in rows for size in range(len(row))})


@settings(deadline=None, max_examples=25)
@given(texts)
@example([[1], [0]])
def test_gradients_are_summed_over_the_places_of_a_token(rows):
    packed = pack([np.array(row) for row in rows])
    states = torch.randn(len(packed.ids), 3, requires_grad=True)
    # Behind the end of a text stands nothing that anybody reads.
    mask = torch.arange(packed.place.shape[1]) < torch.tensor([[len(row)] for row in rows])
    weights = torch.randn(*packed.place.shape, 3) * mask[..., None]
    (spread(states, packed) * weights).sum().backward()
    mine, states.grad = states.grad, None
    (states[packed.place] * weights).sum().backward()
    torch.testing.assert_close(mine, states.grad)


def test_rows_are_collected_where_tokens_stand_first():
    packed = pack([np.array([1, 2, 3]), np.array([1, 2, 4, 5])])
    rows = torch.randn(2, 4, 2, requires_grad=True)
    found = collect(rows, packed)
    assert found.shape == (5, 2)
    found.sum().backward()
    assert rows.grad.sum() == 10
    assert not packed.is_plain
    assert pack([np.array([1, 2]), np.array([3, 4])]).is_plain


def test_common_starts():
    assert common_start(np.array([1, 2, 3]), np.array([1, 2])) == 2
    assert common_start(np.array([1]), np.array([2])) == 0
