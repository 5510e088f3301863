"""Tests of the commands around packages that write text."""

import json
import os
import pty
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize(
    ("wishes", "named", "next_step"),
    [
        (["--text", "--label", "7", "--count", "3", "--out", "x.png"], "--count, --label, --out", "leave it out"),
        (["--text", "--system", "Be kind"], "--system", "leave out --text"),
    ],
)
def test_wishes_that_cannot_be_granted_are_refused(headway, tmp_path, wishes, named, next_step):
    done = headway("generate", write_tiny(tmp_path / "package"), "--prompt", "ab", *wishes)
    assert done.returncode == 1
    assert (done.stdout, named in done.stderr, next_step in done.stderr) == ("", True, True)


def test_where_texts_are_continued_nothing_is_told_before_them(headway, tmp_path):
    package = write_tiny(tmp_path / "package", chat=None)
    for wish in (["--system", "Be kind"], ["--chat"]):
        done = headway("generate", package, "--prompt", "ab", *wish, lang="zh")
        assert done.returncode == 1
        assert f"去掉 {wish[0]}：提示就是文本的开头" in done.stderr


@pytest.mark.parametrize(
    ("change", "typed", "said"),
    [
        ({"chat": None, "begin_id": 256}, b"", ""),
        ({"chat": None}, b"ab\n\x04", "how does the text begin?"),
        ({}, b"Hello\n\x04", "what do you ask?"),
    ],
)
def test_on_a_terminal_it_begins_from_nothing_or_asks(tmp_path, change, typed, said):
    package, (keyboard, terminal) = write_tiny(tmp_path / "package", **change), pty.openpty()
    os.write(keyboard, typed)
    command = [sys.executable, "-m", "headway.cli", "generate", package, "--max-tokens", "5", "--seed", "1"]
    done = subprocess.run(
        command, stdin=terminal, capture_output=True, check=False, timeout=120, env={**os.environ, "HEADWAY_LANG": "en"}
    )
    os.close(keyboard)
    os.close(terminal)
    assert done.returncode == 0, done.stderr
    assert b"5 tokens" in done.stderr
    assert (b"Ctrl-D" in done.stderr) == bool(said)
    assert said.encode() in done.stderr


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
