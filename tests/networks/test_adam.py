import subprocess
import sys

import pytest
import torch
from torch import nn

from headway.networks.adam import Adam


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2))


def groups_of(made):
    matrices = [p for p in made.parameters() if p.ndim > 1]
    others = [p for p in made.parameters() if p.ndim == 1]
    return [{"params": matrices, "weight_decay": 0.1, "scale": 1.0}, {"params": others, "scale": 0.5}]


def steps(made, optimizer, count):
    x = torch.linspace(-1, 1, 20).reshape(4, 5)
    for number in range(count):
        optimizer.zero_grad()
        (made(x + number) ** 2).mean().backward()
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 / (1 + number)
        optimizer.step()


def weights(made):
    return nn.utils.parameters_to_vector(made.parameters())


@pytest.mark.parametrize("decoupled", [True, False])
def test_steps_are_torchs(decoupled):
    ours, theirs = network(), network()
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    # torch's AdamW decays by 0.01 where a group names nothing
    steps(theirs, kind(groups_of(theirs), lr=1e-2, weight_decay=0.0, fused=True), 5)
    steps(ours, Adam(groups_of(ours), lr=1e-2, decoupled=decoupled), 5)
    assert torch.equal(weights(ours), weights(theirs))


def test_state_goes_on_where_it_was():
    whole, broken = network(), network()
    first = Adam(groups_of(whole), lr=1e-2, decoupled=True)
    steps(whole, first, 3)
    steps(broken, kept := Adam(groups_of(broken), lr=1e-2, decoupled=True), 3)
    second = Adam(groups_of(broken), lr=5.0, decoupled=True)
    second.load_state_dict(kept.state_dict())
    steps(whole, first, 2)
    steps(broken, second, 2)
    assert torch.equal(weights(whole), weights(broken))
    assert [group["scale"] for group in second.param_groups] == [1.0, 0.5]


def test_parameter_without_gradient_stays():
    made = network()
    before = weights(made).clone()
    Adam(groups_of(made), lr=1.0, decoupled=True).step()
    assert torch.equal(weights(made), before)


def test_torchs_compiler_stays_out():
    code = (
        "import sys, torch; from headway.networks.adam import Adam; p = torch.nn.Parameter(torch.ones(2)); "
        "made = Adam([{'params': [p]}], lr=0.1, decoupled=True); p.sum().backward(); made.step(); "
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
