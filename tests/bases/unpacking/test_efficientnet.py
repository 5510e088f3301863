import pytest

pytest.importorskip("torch")

import torch

from headway.bases.efficientnet import EfficientNetLite
from headway.bases.loading import load_image_encoder
from headway.bases.opening import open_base
from headway.bases.unpacking.efficientnet import rename, unpack_efficientnet
from headway.errors import BaseModelError

OURS = {
    "stem": "_conv_stem", "stem_norm": "_bn0", "head": "_conv_head", "head_norm": "_bn1",
    "expand": "_expand_conv", "expand_norm": "_bn0", "depthwise": "_depthwise_conv", "depthwise_norm": "_bn1",
    "project": "_project_conv", "project_norm": "_bn2", "blocks": "_blocks",
}  # fmt: skip


def original(name):
    """What the original calls a tensor of ours."""
    return ".".join(OURS.get(part, part) for part in name.split("."))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Random weights, pickled under their original names, and unpacked again."""
    torch.manual_seed(0)
    network = EfficientNetLite().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    place = tmp_path_factory.mktemp("lite")
    state = {original(name): tensor for name, tensor in network.state_dict().items()}
    torch.save({**state, "_fc.weight": torch.zeros(1000, 1280)}, place / "lite.pth")
    (place / "out").mkdir()
    unpack_efficientnet(place / "lite.pth", place / "out")
    return place / "out", network


def test_names_are_those_of_our_network():
    assert rename("_blocks.0._bn1.bias") == "blocks.0.depthwise_norm.bias"
    assert rename("_bn1.bias") == "head_norm.bias"
    assert rename("_blocks.15._project_conv.weight") == "blocks.15.project.weight"


def test_the_network_comes_back_as_it_was(folder):
    place, network = folder
    base = open_base(str(place))
    assert (base.kind, base.architecture, base.picture.size) == ("image_encoder", "efficientnet_lite", 224)
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        features = load_image_encoder(base)(pixels)
        torch.testing.assert_close(features, network(pixels))
    assert features.shape == (2, 1280)


def test_sizes_are_kept_as_tensorflow_keeps_them():
    network = EfficientNetLite().eval()
    with torch.no_grad():
        x = network.stem(network.pad(torch.zeros(1, 3, 224, 224)))
        assert x.shape[2:] == (112, 112)
        for block in network.blocks:
            x = block(x)
    assert x.shape[1:] == (320, 7, 7)


def test_missing_weights_are_not_made_up(folder, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    shutil.copytree(folder[0], tmp_path / "half")
    tensors = load_file(tmp_path / "half" / "model.safetensors")
    del tensors["head.weight"]
    save_file(tensors, tmp_path / "half" / "model.safetensors")
    with pytest.raises(BaseModelError, match="do not fit its configuration"):
        load_image_encoder(open_base(str(tmp_path / "half")))


def test_other_weights_are_refused(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(BaseModelError, match="not the weights of EfficientNet"):
        unpack_efficientnet(tmp_path / "other.pth", tmp_path)
