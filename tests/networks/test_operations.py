"""The fused parts of a decoder give what plain torch gives, gradients too."""

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402 - after the skip

from headway.networks.operations import rms_norm, rotated, swiglu  # noqa: E402

EPSILON = 1e-5


def plain_norm(states, scale):
    return functional.rms_norm(states, scale.shape, scale, EPSILON)


def plain_swiglu(both):
    gate, up = both.chunk(2, dim=-1)
    return functional.silu(gate) * up


def plain_turn(states, cosine, sine):
    first, second = states.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)


def drawn(*shapes):
    torch.manual_seed(0)
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize(
    ("fused", "plain", "shapes"),
    [
        (lambda *given: rms_norm(*given, EPSILON), plain_norm, [(3, 5, 8), (8,)]),
        (swiglu, plain_swiglu, [(3, 5, 8)]),
    ],
)
def test_values_and_gradients_are_those_of_torch(fused, plain, shapes):
    given = drawn(*shapes)
    mine, theirs = fused(*given), plain(*given)
    torch.testing.assert_close(mine, theirs)
    pull = torch.randn_like(mine)
    for one, other in zip(
        torch.autograd.grad(mine, given, pull), torch.autograd.grad(theirs, given, pull), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_turning_is_that_of_torch():
    states, angles = drawn((2, 5, 3, 8), (5, 1, 4))
    turn = angles.detach().cos(), angles.detach().sin()
    mine, theirs = rotated(states, *turn), plain_turn(states, *turn)
    torch.testing.assert_close(mine, theirs)
    pull = torch.randn_like(mine)
    torch.testing.assert_close(*(torch.autograd.grad(each, states, pull)[0] for each in (mine, theirs)))


def test_a_scale_that_does_not_learn_gets_no_gradient():
    states, scale = drawn((4, 8), (8,))
    rms_norm(states, scale.detach(), EPSILON).sum().backward()
    assert states.grad is not None
    assert scale.grad is None
