import json

import pytest

from headway.cli.corpus import look_for_text


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_plain_text_is_text_and_tables_are_not(here):
    book = "It was the best of times, it was the worst of times,\nit was the age of wisdom...\n\n"
    (here / "book.txt").write_text(book * 50)
    (here / "table.txt").write_text("\n".join(f"{n},{n + 1},{'ab'[n % 2]}" for n in range(60)))
    assert look_for_text("book.txt").form == "stream"
    assert look_for_text("table.txt") is None


def test_a_folder_of_texts_is_text(here):
    (here / "texts").mkdir()
    for number in range(3):
        (here / "texts" / f"{number}.txt").write_text("春眠不觉晓\n处处闻啼鸟\n" * 20)
    assert look_for_text("texts").form == "stream"


def test_chats_and_pairs_ask_for_answers_and_labels_do_not(here):
    chat = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
    for name, row in (
        ("chat", chat),
        ("pairs", {"prompt": "a", "completion": "b"}),
        ("rows", {"text": "a", "label": 1}),
    ):
        (here / f"{name}.jsonl").write_text("\n".join([json.dumps(row)] * 3))
    assert look_for_text("chat.jsonl").form == look_for_text("pairs.jsonl").form == "answers"
    assert look_for_text("rows.jsonl") is None
    assert look_for_text("missing.csv") is None
