import copy
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from headway.compute.clock import Clock
from headway.networks.batches import Arrays, Lesson
from headway.networks.mixout import mixing
from headway.networks.plan import Plan, planned
from headway.networks.training import train
from headway.tasks import Classify
from headway.tasks.recipe import Recipe

TASK = Classify(("no", "yes"))
SHARE = 0.75


class Small(nn.Module):
    """A layer that was learnt before, and a head that was not."""

    def __init__(self, *, again=False):
        super().__init__()
        torch.manual_seed(0)
        self.body, self.head, self.again = nn.Linear(40, 50), nn.Linear(50, 2), again

    def forward(self, x):
        hidden = checkpoint(self.body, x, use_reentrant=False) if self.again else self.body(x)
        return self.head(torch.tanh(hidden))

    def is_begun(self, parameter):
        return not parameter.startswith("head.")


def moved(network):
    """Return the network with other weights than it began with, and what it began with."""
    began = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
    return network, began


def test_in_a_step_a_share_of_the_weights_stands_where_it_began():
    network = Small()
    mixed = mixing(network, SHARE)
    network, began = moved(network)
    own, head, bias = (each.detach().clone() for each in (network.body.weight, network.head.weight, network.body.bias))
    kept = network.body.weight.data
    with mixed():
        now = network.body.weight.detach().clone()
        stands = now == began.body.weight
        network.body.weight.sum().backward()
        assert torch.equal(network.head.weight, head)
        assert torch.equal(network.body.bias, bias)
    assert 0.7 < stands.float().mean() < 0.8
    further = began.body.weight + (own - began.body.weight) / (1 - SHARE)
    torch.testing.assert_close(now[~stands], further[~stands])
    torch.testing.assert_close(network.body.weight.grad, (~stands).float() / (1 - SHARE))
    assert network.body.weight.data.data_ptr() == kept.data_ptr()
    assert torch.equal(network.body.weight, own)
    with mixed():
        assert not torch.equal(network.body.weight, now)  # each step draws anew


def test_the_mean_of_what_is_drawn_is_the_network_itself():
    network = Small()
    mixed = mixing(network, 0.5)
    moved(network)
    total = torch.zeros_like(network.body.weight)
    for _ in range(2_000):
        with mixed():
            total += network.body.weight.detach()
    torch.testing.assert_close(total / 2_000, network.body.weight.detach(), atol=0.15, rtol=0)


def test_activations_that_are_computed_again_see_the_same_weights():
    gradients = []
    for again in (False, True):
        network = Small(again=again)
        mixed = mixing(network, 0.5)
        torch.manual_seed(1)
        moved(network)
        with mixed():
            network(torch.ones(3, 40, requires_grad=True)).square().sum().backward()
        gradients.append(network.body.weight.grad)
    torch.testing.assert_close(*gradients)


def test_an_error_in_a_step_leaves_the_plain_network():
    network = Small()
    mixed = mixing(network, 0.9)
    moved(network)
    own = network.body.weight.detach().clone()
    with pytest.raises(ValueError, match="no number"), mixed():
        raise ValueError("no number")
    assert torch.equal(network.body.weight, own)


def test_a_network_without_a_beginning_is_left_alone():
    network = nn.Linear(4, 4)
    own = network.weight.detach().clone()
    with mixing(network, 0.9)():
        assert torch.equal(network.weight, own)


def test_mixed_training_stays_near_its_beginning_learns_and_ends_with_the_plain_network():
    x = np.random.default_rng(0).normal(size=(300, 40)).astype(np.float32)
    y = (x[:, 0] > x[:, 1]).astype(np.int64)
    distance = {}
    for share in (None, 0.9):
        plan = planned(Recipe(mixout=share), TASK, Plan(learning_rate=3e-3, batch_size=30, epochs=12))
        trained = train(Small, Lesson(Arrays((x,)), y), None, TASK, plan, seed=0, clock=Clock())
        with torch.no_grad():
            likely = trained.network(torch.from_numpy(x)).argmax(1).numpy()
        assert (likely == y).mean() > 0.9
        assert list(trained.network.state_dict()) == list(Small().state_dict())
        assert re.fullmatch(r"Linear\(.*\)", str(trained.network.body))
        distance[share] = float((trained.network.body.weight - Small().body.weight).detach().norm())
    assert distance[0.9] < 0.9 * distance[None]
