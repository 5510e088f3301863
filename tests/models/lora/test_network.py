"""The module with adapters beside Transformers and PEFT: states, gradients, and what is merged."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from headway.models.lora.answers import nats_of, weighted_nats  # noqa: E402 - after the skip
from headway.models.lora.kept import Kept, Room  # noqa: E402
from headway.models.lora.network import Merged, Tuned  # noqa: E402
from headway.models.lora.packing import pack  # noqa: E402
from tests.decoders.tiny import CONFIG, GPT2, QWEN2, teacher, teacher_logits, weights_of  # noqa: E402

RANK, ALPHA = 4, 8.0
LAYOUTS = [CONFIG, dataclasses.replace(CONFIG, tied=False), QWEN2, GPT2, dataclasses.replace(GPT2, feed="gelu")]
RANDOM = np.random.default_rng(0)
START = RANDOM.integers(0, CONFIG.vocabulary, 6)
TEXTS = [
    np.concatenate([START[: 6 - number % 3], RANDOM.integers(0, CONFIG.vocabulary, size)])
    for number, size in enumerate((9, 3, 14, 5))
]


def tuned(config=CONFIG, *, changed=True, **options):
    torch.manual_seed(0)
    network = Tuned(config, weights_of(config), rank=RANK, alpha=ALPHA, **options)
    if changed:
        for each in network.maps():
            torch.nn.init.normal_(each.up, std=0.05)
        network.merge()
    return network


def wanted_of(packed, texts):
    """Return, for every token but the first of each text, the token before it and its own id."""
    places = [packed.place[row, : len(text) - 1] for row, text in enumerate(texts)]
    return torch.cat(places), torch.from_numpy(np.concatenate([text[1:] for text in texts]))


@pytest.mark.parametrize("config", LAYOUTS)
def test_states_are_those_of_transformers(config):
    weights = weights_of(config)
    network, packed = tuned(config, changed=False), pack(TEXTS)
    with torch.no_grad():
        found = network.finished(network(packed), torch.arange(len(packed.ids))) @ network.head.T
    expected = teacher(config, weights)
    for row, text in enumerate(TEXTS):
        mine = found[packed.place[row, : len(text)]].numpy()
        np.testing.assert_allclose(mine, teacher_logits(expected, text.tolist()), atol=1e-4)


@pytest.mark.parametrize("config", LAYOUTS)
def test_merged_weights_answer_as_the_module_does(config):
    weights = weights_of(config)
    network, packed = tuned(config), pack(TEXTS)
    with torch.no_grad():
        found = network.finished(network(packed), torch.arange(len(packed.ids))) @ network.head.T
    expected = teacher(config, dict(Merged(network, weights)))
    text = TEXTS[2]
    mine = found[packed.place[2, : len(text)]].numpy()
    np.testing.assert_allclose(mine, teacher_logits(expected, text.tolist()), atol=1e-4)
    assert np.abs(mine - teacher_logits(teacher(config, weights), text.tolist())).max() > 0.1


@pytest.mark.parametrize("config", [CONFIG, QWEN2, GPT2])
def test_layers_that_do_not_learn_are_those_of_the_base(config):
    weights = weights_of(config)
    shallow, packed = tuned(config, depth=1), pack(TEXTS)
    assert len(shallow.maps()) == 4
    assert len(tuned(config).maps()) == 4 * config.layers
    with torch.no_grad():
        found = shallow.finished(shallow(packed), torch.arange(len(packed.ids))) @ shallow.head.T
    expected = teacher(config, dict(Merged(shallow, weights)))
    text = TEXTS[0]
    mine = found[packed.place[0, : len(text)]].numpy()
    np.testing.assert_allclose(mine, teacher_logits(expected, text.tolist()), atol=1e-4)


def test_what_lower_layers_make_of_texts_is_kept_and_the_same(monkeypatch):
    network, kept = tuned(depth=1), Kept(Room(10.0))
    kept.states(network, pack(TEXTS[:2]), [0, 1])
    kept.states(network, pack(TEXTS[2:]), [2, 3])
    packed = pack([TEXTS[3], TEXTS[0], TEXTS[2]])
    expected = network.lower_states(packed)
    monkeypatch.setattr(network, "lower_states", None)
    found = kept.states(network, packed, [3, 0, 2])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    gradients = [
        torch.autograd.grad(network(packed, lower).square().sum(), [*network.parameters()])
        for lower in (expected, found)
    ]
    for mine, other in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)


def test_nothing_is_kept_where_all_layers_learn_and_no_more_than_there_is_room_for():
    assert Kept(Room(10.0)).states(tuned(), pack(TEXTS), range(4)) is None
    full = Kept(Room(0.0))
    assert full.states(tuned(depth=1), pack(TEXTS), range(4)) is not None
    assert not full.found


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")  # of Transformers, read by PEFT
def test_gradients_are_those_of_peft():
    peft = pytest.importorskip("peft")
    network, packed = tuned(), pack(TEXTS)
    wanted, labels = wanted_of(packed, TEXTS)
    weights = torch.full((len(labels),), 1 / len(labels))
    loss = weighted_nats(network.finished(network(packed), wanted), network.head, labels, weights)
    loss.backward()

    names = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    settings = peft.LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=names, task_type="CAUSAL_LM")
    theirs = peft.get_peft_model(teacher(CONFIG, weights_of()), settings)
    layers = theirs.base_model.model.model.layers
    pairs = []
    for mine, other in zip(network.layers, layers, strict=True):
        attention, feed = other.self_attn, other.mlp
        groups = [(mine.inputs, [attention.q_proj, attention.k_proj, attention.v_proj]),
                  (mine.output, [attention.o_proj]), (mine.wide, [feed.gate_proj, feed.up_proj]),
                  (mine.down, [feed.down_proj])]  # fmt: skip
        for module, modules in groups:
            ups, downs = ((each.data, each.grad) for each in (module.up, module.down))
            for kind, (data, gradient), sizes in (("lora_B", ups, module.parts), ("lora_A", downs, module.rank)):
                split = zip(modules, data.split(sizes), gradient.split(sizes), strict=True)
                for one, values, expected in split:
                    weight = getattr(one, kind).default.weight
                    weight.data.copy_(values)
                    pairs.append((weight, expected))
    longest = max(map(len, TEXTS))
    ids, targets, mask = (np.zeros((len(TEXTS), longest), np.int64) for _ in range(3))
    targets -= 100
    for row, text in enumerate(TEXTS):
        ids[row, : len(text)] = targets[row, : len(text)] = text
        mask[row, : len(text)] = 1
    said = theirs(torch.from_numpy(ids), attention_mask=torch.from_numpy(mask), labels=torch.from_numpy(targets))
    said.loss.backward()
    assert loss.item() == pytest.approx(said.loss.item(), rel=1e-5)
    for weight, gradient in pairs:
        np.testing.assert_allclose(gradient.numpy(), weight.grad.numpy(), rtol=1e-3, atol=1e-6)


def test_what_texts_begin_with_is_read_once_and_changes_nothing():
    texts = [np.concatenate([START, RANDOM.integers(0, 131, 4)]) for _ in range(3)]
    packed = pack([*texts, texts[0]])
    assert len(packed.ids) == 6 + 3 * 4
    network = tuned()
    wanted, labels = wanted_of(packed, [*texts, texts[0]])
    together = nats_of(network.finished(network(packed), wanted), network.head, labels)
    alone = []
    for text in [*texts, texts[0]]:
        one = pack([text])
        places, own = wanted_of(one, [text])
        alone.append(nats_of(network.finished(network(one), places), network.head, own))
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-4)


def test_the_loss_of_chosen_tokens_is_that_of_all_logits():
    states = torch.randn(700, 24, requires_grad=True)
    table, labels, weights = torch.randn(50, 24), torch.randint(0, 50, (700,)), torch.rand(700)
    found = weighted_nats(states, table, labels, weights)
    found.backward()
    mine, states.grad = states.grad, None
    expected = (torch.nn.functional.cross_entropy(states @ table.T, labels, reduction="none") * weights).sum()
    expected.backward()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(mine, states.grad)


def test_fewer_bits_in_products_are_near():
    texts = pack(TEXTS)
    whole, half = (tuned(dtype=dtype)(texts).detach() for dtype in (torch.float32, torch.bfloat16))
    assert (whole - half).norm() / whole.norm() < 0.03


def test_four_bits_on_a_gpu():
    from headway.models.lora.four_bits import FourBits, can_pack

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not can_pack(device):
        pytest.skip("QLoRA needs a CUDA device and bitsandbytes")
    config = dataclasses.replace(CONFIG, width=192, hidden=256)
    torch.manual_seed(0)
    network = Tuned(config, weights_of(config), rank=RANK, alpha=ALPHA, device=device, keep=FourBits)
    packed = pack(TEXTS).to(device)
    wanted, labels = wanted_of(packed, TEXTS)
    weights = torch.ones(len(labels), device=device)
    loss = weighted_nats(network.finished(network(packed), wanted), network.head, labels.to(device), weights)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(each.up.grad).all() for each in network.maps())
