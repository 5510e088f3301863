import copy

import pytest
import torch
from torch import nn

from headway.encoders.depth import Cut, agrees, layers_of
from headway.encoders.opening import Encoder, open_encoder
from headway.errors import TrainingError
from tests.encoders.tiny import KINDS, tiny_base


@pytest.fixture(scope="module", params=KINDS)
def encoder(request, tmp_path_factory):
    return open_encoder(tiny_base(tmp_path_factory.mktemp("base") / request.param, request.param))


def batch(encoder):
    ids = torch.randint(4, 50, (5, 9), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[2, 5:] = 0
    return ids * mask, mask


def test_upper_layers_alone_answer_like_the_whole(encoder):
    cut = Cut(encoder, 1)
    ids, mask = batch(encoder)
    with torch.inference_mode():
        states, pooled = cut.lower_states(ids, mask)
        torch.testing.assert_close(cut(ids, mask, states), pooled)
        torch.testing.assert_close(encoder(ids, mask), pooled)
        assert not torch.allclose(cut(ids, mask, torch.zeros_like(states)), pooled)


def test_a_copy_has_layers_of_its_own(encoder):
    ids, mask = batch(encoder)
    cut = Cut(copy.deepcopy(encoder), 1)
    other = copy.deepcopy(cut)
    with torch.inference_mode():
        states, before = other.lower_states(ids, mask)
        for parameter in cut.parameters():
            parameter.zero_()
        torch.testing.assert_close(other(ids, mask, states), before)


def test_only_upper_layers_get_gradients_from_kept_states(encoder):
    cut = Cut(copy.deepcopy(encoder).requires_grad_(), 1)
    ids, mask = batch(encoder)
    states, _ = cut.lower_states(ids, mask)
    cut(ids, mask, states.detach()).sum().backward()
    upper, lower = (list(layers_of(cut.encoder.backbone)[place].parameters()) for place in (1, 0))
    assert all(parameter.grad is not None for parameter in upper)
    assert all(parameter.grad is None for parameter in lower)


@pytest.mark.parametrize("keeps", [True, False])
def test_recomputed_activations_give_the_same_gradients(encoder, keeps):
    ids, mask = batch(encoder)
    gradients = []
    for recompute in (False, True):
        cut = Cut(copy.deepcopy(encoder), 1, recompute=recompute).train()
        for module in cut.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        with torch.no_grad():
            states, _ = cut.lower_states(ids, mask)
        cut(ids, mask, states if keeps else None).square().sum().backward()
        gradients.append([p.grad for p in layers_of(cut.encoder.backbone)[1].parameters()])
    torch.testing.assert_close(*gradients)


def test_heights_count_layers_from_above(encoder):
    cut = Cut(encoder, 1)
    heights = {cut.height(name) for name, _ in cut.named_parameters() if f"{cut.name}.1." in name}
    assert heights == {0}
    assert {cut.height(name) for name, _ in cut.named_parameters() if f"{cut.name}.0." in name} == {1}
    assert cut.height("encoder.backbone.embeddings.word_embeddings.weight") == 2


class Looking(nn.Module):
    """A backbone whose upper layers lean on more than what the lower ones hand them."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(60, 8)
        self.layers = nn.ModuleList([nn.Linear(8, 8), nn.Linear(8, 8)])

    def forward(self, input_ids, attention_mask):
        x = first = self.layers[0](self.words(input_ids))
        for layer in self.layers[1:]:
            x = layer(x) + first

        class Out:
            last_hidden_state = x

        return Out


def test_a_backbone_that_leans_on_lower_layers_is_found_out(encoder):
    ids, mask = batch(encoder)
    assert agrees(Cut(encoder, 1), ids, mask)
    assert not agrees(Cut(Encoder(Looking(), pooling="mean"), 1), ids, mask)


def test_a_backbone_without_layers_is_an_error():
    with pytest.raises(TrainingError, match="cannot be fine-tuned"):
        layers_of(nn.Linear(2, 2))
