"""Tiny random encoders in the layout of Transformers, with a tokenizer of letters and of a few words."""

import json
from pathlib import Path

import numpy as np
import transformers

from headway.bases.base import Base

WORDS = [
    "the",
    "room",
    "was",
    "awful",
    "dirty",
    "plain",
    "usual",
    "lovely",
    "clean",
    "旧",
    "一般",
    "舒适",
    "good",
    "bad",
]
SIZES = {"num_attention_heads": 4, "num_hidden_layers": 2}
KINDS = ("bert", "roberta", "xlm-roberta", "distilbert", "mpnet", "modernbert")


def tiny_base(
    folder: Path, kind: str = "bert", *, seed: int = 0, pooling="mean", prefix="", max_length=64, hidden=32
) -> Base:
    """Write a random encoder into `folder` and return it as a base."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = write_tokenizer(folder)
    torch.manual_seed(seed)
    model = made(kind, vocabulary, hidden)
    with torch.no_grad():  # random weights of a size that makes texts differ
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.8 / hidden**0.5)
    model.save_pretrained(folder, safe_serialization=True)
    return Base(
        name=f"tiny-{kind}",
        folder=folder,
        kind="text_encoder",
        architecture=kind,
        parameters=sum(p.numel() for p in model.parameters()),
        size_mb=0.1,
        languages=("multi",),
        licence="none",
        digest=f"{kind}-{seed}",
        source="a test",
        pooling=pooling,
        prefix=prefix,
        max_length=max_length,
    )


def made(kind: str, vocabulary: int, hidden: int):
    """Return a random Transformers model."""
    widths = {"hidden_size": hidden, "intermediate_size": 2 * hidden, "vocab_size": vocabulary}
    sizes = {**SIZES, **widths, "max_position_embeddings": 80, "pad_token_id": 0}
    if kind == "distilbert":
        config = transformers.DistilBertConfig(
            vocab_size=vocabulary, dim=hidden, n_heads=4, n_layers=2, hidden_dim=2 * hidden, max_position_embeddings=80
        )
        return transformers.DistilBertModel(config)
    if kind == "modernbert":
        special = {"cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
        return transformers.ModernBertModel(transformers.ModernBertConfig(**sizes, **special))
    names = {
        "bert": (transformers.BertConfig, transformers.BertModel),
        "roberta": (transformers.RobertaConfig, transformers.RobertaModel),
        "xlm-roberta": (transformers.XLMRobertaConfig, transformers.XLMRobertaModel),
        "mpnet": (transformers.MPNetConfig, transformers.MPNetModel),
    }
    config, model = names[kind]
    return model(config(**sizes))


def write_tokenizer(folder: Path) -> int:
    """Write `tokenizer.json`; return the size of its vocabulary."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    letters = [chr(code) for code in range(33, 127)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    assert json.loads((folder / "tokenizer.json").read_text())["model"]["type"] == "WordPiece"
    return len(vocabulary)


def sentences(rows: int, seed: int = 0) -> list[str]:
    """Return texts of 0 to 20 words."""
    generator = np.random.default_rng(seed)
    return [" ".join(generator.choice(WORDS, generator.integers(0, 20))) for _ in range(rows)]
