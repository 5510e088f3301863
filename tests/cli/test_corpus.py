import json
from itertools import product

import pytest

from headway.cli.corpus import look_for_text
from headway.data.corpus import records


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


def test_a_text_in_a_single_line_is_no_table(here):
    (here / "book.txt").write_text("The same long line goes on and on. " * 20)
    corpus = look_for_text("book.txt")
    assert corpus is not None
    assert corpus.form == "stream"


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


def write_rows(path, rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")


@pytest.mark.parametrize(("asked", "written"), [*product(records._PROMPTS, records._ANSWERS)])
def test_every_pair_of_names_that_is_read_as_an_answer_is_seen(here, asked, written):
    write_rows(here / "rows.jsonl", [{asked: f"第{n}个问题是什么？", written: f"这是第{n}个回答。"} for n in range(60)])
    assert look_for_text("rows.jsonl").form == "answers"


@pytest.mark.parametrize("name", records._CHATS)
def test_every_name_of_chats_is_seen(here, name):
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    write_rows(here / "rows.jsonl", [{"id": n, name: turns, "label": "a"} for n in range(3)])
    assert look_for_text("rows.jsonl").form == "answers"
    write_rows(here / "rows.jsonl", [{name: f"Call me at {n}", "label": "spam"} for n in range(3)])
    assert look_for_text("rows.jsonl") is None


def test_poems_and_single_texts_are_documents_and_labels_beside_them_are_for_predicting(here):
    poem = {"title": "静夜思", "author": "李白", "paragraphs": ["床前明月光，", "疑是地上霜。"]}
    write_rows(here / "poems.jsonl", [poem] * 9)
    write_rows(here / "texts.jsonl", [{"text": "床前明月光"}] * 9)
    assert look_for_text("poems.jsonl").form == look_for_text("texts.jsonl").form == "documents"
    write_rows(here / "poems.jsonl", [{**poem, "label": "唐"}] * 9)
    assert look_for_text("poems.jsonl") is None


@pytest.mark.parametrize("answers", [["yes", "no"], [1, 2, 3, 5.5], ["A", "B", "C", "D"]])
def test_answers_that_recur_are_labels(here, answers):
    rows = [{"question": f"Is {n} what you meant?", "answer": answers[n % len(answers)]} for n in range(60)]
    write_rows(here / "rows.jsonl", rows)
    assert look_for_text("rows.jsonl") is None
    write_rows(here / "rows.jsonl", [{"instruction": row["question"], "output": row["answer"]} for row in rows])
    assert look_for_text("rows.jsonl").form == "answers"
