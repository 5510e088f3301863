"""Tests of chat templates taken apart."""

import json

import pytest

from headway.decoders.chat import read_chat, take_apart

CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe "
    "kind<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
ZEPHYR = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "<|{{ m.role }}|>{{ m.content | trim }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
FOLDED = (
    "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} ({{ loop.index }}) [/INST]"
    "{% else %}{{ m.content }}</s>{% endif %}{% endfor %}"
)


def test_chatml_with_a_system_message_of_its_own():
    chat = take_apart(CHATML, {})
    assert chat.start == "<|im_start|>system\nBe kind<|im_end|>\n"
    assert chat.answer == "<|im_start|>assistant\n"
    assert {role: (turn.before, turn.after) for role, turn in chat.roles.items()} == {
        role: (f"<|im_start|>{role}\n", "<|im_end|>\n") for role in ("system", "user", "assistant")
    }
    assert not chat.trims


def test_a_template_without_system_that_trims():
    chat = take_apart(ZEPHYR, {"bos_token": "<s>", "eos_token": "</s>"})
    assert set(chat.roles) == {"user", "assistant"}
    assert chat.start == "<s>"
    assert chat.trims


@pytest.mark.parametrize("template", [FOLDED, "{{ messages[0].content }}", "{{ 1 / 0 }}", "{% for"])
def test_what_cannot_be_said_plainly_is_left_out(template):
    assert take_apart(template, {}) is None


def test_a_template_reaches_nothing_outside():
    assert take_apart("{{ messages.__class__.__mro__[1].__subclasses__() }}" + CHATML, {}) is None


def test_a_folder_names_its_template_in_either_place(tmp_path):
    assert read_chat(tmp_path) is None
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"chat_template": CHATML, "bos_token": {"content": "<s>"}})
    )
    assert read_chat(tmp_path) == take_apart(CHATML, {})
    (tmp_path / "chat_template.jinja").write_text("broken {{")
    assert read_chat(tmp_path) is None
