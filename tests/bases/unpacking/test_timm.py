"""Folders in timm's layout: small models written here as timm writes its own, for timm itself may not be installed."""

import json
from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import save_file  # noqa: E402 - after the skip
from torch import nn  # noqa: E402
from torch.nn.functional import gelu, scaled_dot_product_attention  # noqa: E402

from headway.bases.folders import describe_folder  # noqa: E402
from headway.bases.loading import load_image_encoder  # noqa: E402
from headway.bases.opening import open_base  # noqa: E402
from headway.errors import BaseModelError  # noqa: E402

SIZE = 64
MEAN = [0.5, 0.4, 0.3]


class Part(nn.Module):
    """Modules under the names that are given."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            self.register_parameter(name, part) if isinstance(part, nn.Parameter) else self.add_module(name, part)


class Vit(Part):
    """timm/models/vision_transformer.py: VisionTransformer and Block, three heads, patches of 16."""

    def __init__(self, width=12):
        def block():
            return Part(
                norm1=nn.LayerNorm(width, eps=1e-6),
                attn=Part(qkv=nn.Linear(width, 3 * width), proj=nn.Linear(width, width)),
                norm2=nn.LayerNorm(width, eps=1e-6),
                mlp=Part(fc1=nn.Linear(width, 2 * width), fc2=nn.Linear(2 * width, width)),
            )

        super().__init__(
            patch_embed=Part(proj=nn.Conv2d(3, width, 16, 16)),
            cls_token=nn.Parameter(torch.randn(1, 1, width)),
            pos_embed=nn.Parameter(torch.randn(1, 1 + (SIZE // 16) ** 2, width)),
            blocks=nn.ModuleList([block(), block()]),
            norm=nn.LayerNorm(width, eps=1e-6),
            head=nn.Linear(width, 7),
        )

    def forward(self, pixels):
        patches = self.patch_embed.proj(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(pixels), -1, -1), patches], 1) + self.pos_embed
        for block in self.blocks:
            rows, places, width = x.shape
            qkv = block.attn.qkv(block.norm1(x)).reshape(rows, places, 3, 3, width // 3).permute(2, 0, 3, 1, 4)
            seen = scaled_dot_product_attention(*qkv.unbind(0)).transpose(1, 2).reshape(rows, places, width)
            x = x + block.attn.proj(seen)
            x = x + block.mlp.fc2(gelu(block.mlp.fc1(block.norm2(x))))
        return self.norm(x)[:, 0]


class ResNet(Part):
    """timm/models/resnet.py: ResNet of Bottleneck (stride in the 3 x 3 convolution) or BasicBlock."""

    def __init__(self, *, bottleneck, widths=(8, 12, 16, 20)):
        blocks, channels = [], 6
        for stage, width in enumerate(widths):
            stride, out = (1 if stage == 0 else 2), width * (4 if bottleneck else 1)
            blocks.append(nn.Sequential(block(channels, width, out, stride), block(out, width, out, 1)))
            channels = out
        layers = {f"layer{number}": stage for number, stage in enumerate(blocks, start=1)}
        super().__init__(conv1=nn.Conv2d(3, 6, 7, 2, 3, bias=False), bn1=norm(6), **layers, fc=nn.Linear(channels, 7))

    def forward(self, pixels):
        x = nn.functional.max_pool2d(self.bn1(self.conv1(pixels)).relu(), 3, 2, 1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            for each in stage:
                y, number = x, 1
                while hasattr(each, f"conv{number}"):
                    y = getattr(each, f"bn{number}")(getattr(each, f"conv{number}")(y))
                    number += 1
                    y = y.relu() if hasattr(each, f"conv{number}") else y
                x = (y + (each.downsample(x) if hasattr(each, "downsample") else x)).relu()
        return x.mean((2, 3))


def norm(channels):
    made = nn.BatchNorm2d(channels)
    made.running_mean.normal_(0, 0.2)
    made.running_var.uniform_(0.5, 2)
    return made


def block(channels, width, out, stride):
    if out > width:
        parts = {
            "conv1": nn.Conv2d(channels, width, 1, bias=False), "bn1": norm(width),
            "conv2": nn.Conv2d(width, width, 3, stride, 1, bias=False), "bn2": norm(width),
            "conv3": nn.Conv2d(width, out, 1, bias=False), "bn3": norm(out),
        }  # fmt: skip
    else:
        parts = {
            "conv1": nn.Conv2d(channels, out, 3, stride, 1, bias=False), "bn1": norm(out),
            "conv2": nn.Conv2d(out, out, 3, 1, 1, bias=False), "bn2": norm(out),
        }  # fmt: skip
    if stride > 1 or channels != out:
        parts["downsample"] = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), norm(out))
    return Part(**parts)


class LastNorm(nn.LayerNorm):
    """Layer normalisation over the channels of images."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNext(Part):
    """timm/models/convnext.py: ConvNeXt with ConvNeXtBlock."""

    def __init__(self, widths=(8, 12, 16, 20)):
        def block(width):
            return Part(
                conv_dw=nn.Conv2d(width, width, 7, padding=3, groups=width),
                norm=nn.LayerNorm(width, eps=1e-6),
                mlp=Part(fc1=nn.Linear(width, 4 * width), fc2=nn.Linear(4 * width, width)),
                gamma=nn.Parameter(torch.rand(width)),
            )

        stages = [Part(blocks=nn.Sequential(block(widths[0]), block(widths[0])))]
        stages += [
            Part(
                downsample=nn.Sequential(LastNorm(before, eps=1e-6), nn.Conv2d(before, width, 2, 2)),
                blocks=nn.Sequential(block(width)),
            )
            for before, width in pairwise(widths)
        ]
        super().__init__(
            stem=nn.Sequential(nn.Conv2d(3, widths[0], 4, 4), LastNorm(widths[0], eps=1e-6)),
            stages=nn.ModuleList(stages),
            head=Part(norm=nn.LayerNorm(widths[-1], eps=1e-6), fc=nn.Linear(widths[-1], 7)),
        )

    def forward(self, pixels):
        x = self.stem(pixels)
        for stage in self.stages:
            x = stage.downsample(x) if hasattr(stage, "downsample") else x
            for each in stage.blocks:
                y = each.norm(each.conv_dw(x).permute(0, 2, 3, 1))
                x = x + (each.gamma * each.mlp.fc2(gelu(each.mlp.fc1(y)))).permute(0, 3, 1, 2)
        return self.head.norm(x.mean((2, 3)))


MODELS = {
    "vit_tiny_patch16_64": Vit,
    "resnet18": lambda: ResNet(bottleneck=False),
    "resnet50": lambda: ResNet(bottleneck=True),
    "convnext_tiny": ConvNext,
}


def write(folder, name, model, **config):
    """Write a folder as timm's `save_for_hf` does."""
    folder.mkdir()
    told = {"input_size": [3, SIZE, SIZE], "mean": MEAN, "std": [0.2, 0.2, 0.2], "num_classes": 7, "tag": "test"}
    pooled = "token" if name.startswith("vit") else "avg"
    facts = {"architecture": name, "num_classes": 7, "num_features": 12, "global_pool": pooled, "pretrained_cfg": told}
    (folder / "config.json").write_text(json.dumps({**facts, **config}))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    save_file({key: tensor.contiguous() for key, tensor in model.state_dict().items()}, folder / "model.safetensors")


@pytest.mark.parametrize("name", MODELS)
def test_a_backbone_of_timm_gives_its_own_features(tmp_path, name):
    torch.manual_seed(0)
    model = MODELS[name]().eval()
    write(tmp_path / "base", name, model)
    base = open_base(str(tmp_path / "base"))
    assert (base.kind, base.picture.size, base.picture.mean, base.licence) == (
        "image_encoder",
        SIZE,
        tuple(MEAN),
        "apache-2.0",
    )
    assert "timm's layout" in base.notes[0]
    pixels = torch.randn(2, 3, SIZE, SIZE)
    with torch.no_grad():
        found, wanted = load_image_encoder(base)(pixels), model(pixels)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    assert wanted.std(0).mean() > 1e-3
    listed = describe_folder(tmp_path / "base", name="base", source="a test")
    assert (listed.kind, listed.architecture) == ("image_encoder", base.architecture)


@pytest.mark.parametrize(
    ("name", "config", "words"),
    [
        ("efficientnet_b0", {}, "without its like in Transformers"),
        ("resnet50d", {}, "without its like in Transformers"),
        ("vit_tiny_patch16_64", {"global_pool": "avg"}, "global_pool avg"),
        ("vit_tiny_patch16_64", {"model_args": {"class_token": False}}, "class_token"),
    ],
)
def test_what_transformers_has_not_is_refused_in_words(tmp_path, name, config, words):
    write(tmp_path / "base", name, Vit(), **config)
    with pytest.raises(BaseModelError, match=f"the timm model {name} cannot be opened") as caught:
        open_base(str(tmp_path / "base"))
    assert words in str(caught.value)
    assert "in the layout of Transformers" in str(caught.value)


def test_a_tensor_that_is_unknown_or_missing_is_named(tmp_path):
    model = Vit()
    model.add_module("norm_pre", nn.LayerNorm(12))
    write(tmp_path / "more", "vit_tiny_patch16_64", model)
    with pytest.raises(BaseModelError, match=r"2 tensors that are unknown: norm_pre\."):
        open_base(str(tmp_path / "more"))
    lacking = Vit()
    del lacking.patch_embed
    write(tmp_path / "less", "vit_tiny_patch16_64", lacking)
    with pytest.raises(BaseModelError, match=r"no tensor patch_embed\.proj\.weight"):
        open_base(str(tmp_path / "less"))
