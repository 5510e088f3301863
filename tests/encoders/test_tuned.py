import copy

import pytest
import torch

from headway.encoders.opening import open_encoder
from headway.encoders.tuned import Tuned, merge_adapters
from tests.encoders.tiny import KINDS, tiny_base

IDS = torch.randint(4, 50, (5, 9), generator=torch.Generator().manual_seed(0))
MASK = torch.ones_like(IDS)


@pytest.fixture(scope="module", params=KINDS)
def encoder(request, tmp_path_factory):
    return open_encoder(tiny_base(tmp_path_factory.mktemp("base") / request.param, request.param))


def learning(network):
    return {name for name, parameter in network.named_parameters() if parameter.requires_grad}


def test_the_table_of_tokens_never_learns(encoder):
    network = Tuned(copy.deepcopy(encoder), depth=2, method="layers", columns=1, width=3)
    table = network.cut.encoder.backbone.get_input_embeddings().weight
    assert not table.requires_grad
    assert learning(network)


def test_with_depth_one_the_last_layer_and_the_head_learn(encoder):
    network = Tuned(copy.deepcopy(encoder), depth=1, method="layers", columns=1, width=3)
    assert {network.height(name) for name in learning(network)} == {0}
    assert {"head.weight", "head.bias"} < learning(network)


def test_merged_adapters_answer_like_adapters(encoder):
    torch.manual_seed(0)
    network = Tuned(copy.deepcopy(encoder), depth=2, method="lora", columns=1, width=3).eval()
    assert all("lora_" in name or name.startswith("head.") for name in learning(network))
    plain = network(IDS, MASK)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "lora_" in name:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    before = network(IDS, MASK)
    assert not torch.allclose(before, plain, atol=1e-3)
    merge_adapters(network.cut.encoder)
    torch.testing.assert_close(network(IDS, MASK), before, atol=1e-4, rtol=1e-4)
    assert set(network.cut.encoder.state_dict()) == set(encoder.state_dict())


def test_columns_are_pooled_side_by_side(encoder):
    network = Tuned(copy.deepcopy(encoder), depth=1, method="layers", columns=2, width=3).eval()
    assert network.head.in_features == 64
    swapped = network(IDS.flip(0), MASK, IDS, MASK)
    assert network(IDS, MASK, IDS.flip(0), MASK).shape == (5, 3)
    assert not torch.allclose(network(IDS, MASK, IDS.flip(0), MASK), swapped)
