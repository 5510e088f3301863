import pytest

torch = pytest.importorskip("torch")

from headway.models.gpt.muon import Muon, orthogonal  # noqa: E402 - after the skip


def test_singular_values_come_near_one():
    torch.manual_seed(0)
    for shape in ((3, 8, 8), (2, 4, 16), (2, 16, 4)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert values.min() > 0.3
        assert values.max() < 1.4


def test_it_solves_a_least_squares_problem():
    torch.manual_seed(0)
    weight, wanted, x = torch.nn.Parameter(torch.zeros(4, 6)), torch.randn(4, 6), torch.randn(50, 6)
    optimizer = Muon([weight], lr=0.3)
    losses = []
    for step in range(60):
        optimizer.param_groups[0]["lr"] = 0.3 * (1 - step / 60)
        optimizer.zero_grad()
        loss = ((x @ weight.T - x @ wanted.T) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.05 * losses[0]
