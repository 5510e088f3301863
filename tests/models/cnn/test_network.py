import pytest

from headway.models.cnn.network import layout_for


@pytest.mark.parametrize(("size", "smallest", "largest"), [(8, 3, 4), (28, 3, 4), (64, 4, 4), (96, 6, 6)])
def test_the_last_places_are_few_but_not_one(size, smallest, largest):
    side = size
    for stride in layout_for(size, size).strides:
        side = -(-side // stride)
    assert smallest <= side <= largest
