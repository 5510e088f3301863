import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers

from headway.bases.loading import load_image_encoder
from headway.bases.opening import open_base
from headway.errors import BaseModelError


def vision(folder, kind):
    if kind == "vit":
        sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
        model = transformers.ViTModel(transformers.ViTConfig(image_size=32, patch_size=16, **sizes))
    else:
        config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[16], depths=[1])
        model = transformers.ResNetModel(config)
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_an_image_encoder_of_transformers_gives_a_vector_for_each_image(tmp_path, kind):
    base = open_base(str(vision(tmp_path / kind, kind)))
    assert base.kind == "image_encoder"
    assert base.picture.mean == pytest.approx((0.485, 0.456, 0.406))
    with torch.no_grad():
        assert load_image_encoder(base)(torch.randn(3, 3, 32, 32)).shape == (3, 16)


def test_weights_of_another_architecture_are_not_filled_up_with_noise(tmp_path):
    vision(tmp_path / "vit", "vit")
    vision(tmp_path / "resnet", "resnet")
    (tmp_path / "resnet" / "model.safetensors").replace(tmp_path / "vit" / "model.safetensors")
    with pytest.raises(BaseModelError, match="do not fit its configuration"):
        load_image_encoder(open_base(str(tmp_path / "vit")))


def test_a_pooler_that_the_checkpoint_lacks_is_left_out_and_not_made_up(tmp_path):
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = transformers.ViTForImageClassification(transformers.ViTConfig(image_size=32, patch_size=16, **sizes))
    model.save_pretrained(tmp_path / "vit")
    base, pixels = open_base(str(tmp_path / "vit")), torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        first, again = (load_image_encoder(base)(pixels) for _ in range(2))
        states = model.eval().vit(pixels).last_hidden_state
    torch.testing.assert_close(first, again)
    torch.testing.assert_close(first, states[:, 0])
