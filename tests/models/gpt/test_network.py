import numpy as np
import pytest

torch = pytest.importorskip("torch")

from headway.decoders.stack import DecoderConfig, check_weights  # noqa: E402 - after the skip
from headway.models.gpt.network import Decoder, weights_of  # noqa: E402

CONFIG = DecoderConfig(vocabulary=50, width=64, layers=2, heads=2, key_value_heads=2, hidden=96, window=16)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Decoder(CONFIG).eval()


def test_a_token_sees_nothing_that_follows(network):
    ids = torch.arange(12)[None] % 50
    changed = ids.clone()
    changed[0, 7:] = 49
    with torch.inference_mode():
        assert torch.allclose(network(ids)[0, :7], network(changed)[0, :7], atol=1e-6)
        assert not torch.allclose(network(ids)[0, 7:], network(changed)[0, 7:], atol=1e-3)


def test_its_weights_are_those_of_llama(network):
    weights = weights_of(network)
    check_weights(CONFIG, weights)
    transformers = pytest.importorskip("transformers")
    theirs = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=50, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=2,
            rms_norm_eps=CONFIG.norm_epsilon, rope_theta=CONFIG.rope_theta, max_position_embeddings=16,
            tie_word_embeddings=True,
        )
    ).eval()  # fmt: skip
    theirs.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()}, strict=False)
    ids = torch.randint(0, 50, (2, 16))
    with torch.inference_mode():
        mine = network.logits_of(network(ids)).numpy()
        np.testing.assert_allclose(mine, theirs(ids).logits.numpy(), atol=1e-5)
