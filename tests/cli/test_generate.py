"""Tests of the commands around packages that write text."""

import json

from tests.decoders.tiny import write_folder
from tests.runtime.generation.packages import CONFIG, tokenizer_of, write_tiny


def test_text_is_written_to_the_terminal(headway, tmp_path):
    package = write_tiny(tmp_path / "package")
    done = headway("generate", package, "--prompt", "ab", "--text", "--max-tokens", "5", "--seed", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ab")
    assert "tokens" in done.stderr
    again = headway("generate", package, "--prompt", "ab", "--text", "--max-tokens", "5", "--seed", "1")
    assert again.stdout == done.stdout


def test_a_base_becomes_a_package_that_is_shown_and_verified(headway, tmp_path):
    base = write_folder(tmp_path / "base", CONFIG)
    (base / "tokenizer.json").write_text(tokenizer_of().to_str(), encoding="utf-8")
    done = headway("package", "base", base, "--out", tmp_path / "package", "--precision", "float32")
    assert done.returncode == 0, done.stderr
    assert "float32" in done.stdout
    manifest = json.loads((tmp_path / "package" / "manifest.json").read_text("utf-8"))
    assert manifest["measured"]["perplexity_change"] == 0
    assert headway("package", "verify", tmp_path / "package").returncode == 0
    shown = headway("show", tmp_path / "package", lang="zh").stdout
    assert "生成" in shown
    assert "困惑度" in shown


def test_a_base_that_writes_no_text_is_refused_by_name(headway, tmp_path):
    base = write_folder(tmp_path / "base", CONFIG)
    settings = json.loads((base / "config.json").read_text("utf-8"))
    (base / "config.json").write_text(json.dumps({**settings, "model_type": "phi3"}), encoding="utf-8")
    (base / "tokenizer.json").write_text(tokenizer_of().to_str(), encoding="utf-8")
    done = headway("package", "base", base, "--out", tmp_path / "package")
    assert done.returncode == 1
    assert "phi3" in done.stderr
    assert "layout of Llama" in done.stderr
