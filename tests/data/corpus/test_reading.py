import json

import pytest

from headway.data.corpus.reading import is_plain, read_corpus
from headway.errors import DataError
from headway.project.schema import Reading

POEMS = [{"title": f"poem {number}", "paragraphs": ["床前明月光，", "疑是地上霜。"]} for number in range(3)]


def read(folder, source, **options):
    wishes = {"reading": Reading(), "cache": None, "max_rejected": 0.1, **options}
    return read_corpus(source, folder=folder, **wishes)


def texts(corpus):
    return corpus.table.rows["text"].to_list()


def test_a_file_of_text_is_a_stream_that_keeps_every_character(tmp_path):
    text = "First line\n\n  indented 🎉\n" * 100
    (tmp_path / "book.txt").write_bytes(text.replace("\n", "\r\n").encode())
    corpus = read(tmp_path, "book.txt")
    assert corpus.form == "stream"
    assert "".join(texts(corpus)) == text


def test_few_files_are_one_stream_and_many_are_documents(tmp_path):
    for number in range(60):
        (tmp_path / f"{number:02}.txt").write_text(f"text number {number}")
    (tmp_path / "LICENSE").write_text("not a text to learn from")
    many = read(tmp_path.parent, tmp_path.name)
    assert (many.form, many.table.rows.height) == ("documents", 60)
    few = read(tmp_path, "0*.txt")
    assert few.form == "stream"
    assert "".join(texts(few)).startswith("text number 0text number 1")


def test_a_folder_of_json_is_read_whatever_else_its_files_hold(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(POEMS))
    (tmp_path / "b.json").write_text(json.dumps([{**POEMS[0], "tags": ["moon"]}]))
    corpus = read(tmp_path, ".", target="paragraphs")
    assert corpus.form == "documents"
    assert texts(corpus) == ["床前明月光，\n疑是地上霜。"] * 4


def test_plain_text_beside_tables_is_told(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(POEMS))
    (tmp_path / "notes.txt").write_text("something else")
    corpus = read(tmp_path, ".", target="paragraphs")
    assert len(texts(corpus)) == 3
    assert [finding.code for finding in corpus.inference.findings] == ["left_aside"]
    assert "notes.txt" in corpus.inference.findings[0].message


def test_prompts_and_answers_of_json_lines(tmp_path):
    rows = [{"prompt": "我喜欢听音乐", "completion": "音乐让我放松"}, {"prompt": None, "completion": "再见"}]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    corpus = read(tmp_path, "a.jsonl")
    assert corpus.form == "answers"
    assert corpus.table.rows.select("prompt", "text").rows() == [("我喜欢听音乐", "音乐让我放松"), (None, "再见")]
    assert [column.name for column in corpus.inference.inputs] == ["prompt", "text"]


def test_text_that_cannot_be_decoded_is_told(tmp_path):
    (tmp_path / "a.txt").write_bytes("好的一行\n".encode() * 400 + b"bad \xff\xfe line\n")
    assert [finding.code for finding in read(tmp_path, "a.txt").inference.findings] == ["broken_characters"]
    (tmp_path / "b.jsonl").write_text(r'{"prompt": "a", "completion": "cut \ud83d"}' + "\n")
    corpus = read(tmp_path, "b.jsonl")
    assert texts(corpus) == ["cut \ufffd"]
    assert [finding.code for finding in corpus.inference.findings] == ["broken_characters"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("empty.txt", "", "the file is empty"), ("blank.txt", " \n\n", "there is no text")],
)
def test_nothing_to_read_is_an_error(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=words):
        read(tmp_path, name)


def test_columns_of_plain_text_and_missing_files_are_errors(tmp_path):
    (tmp_path / "story.txt").write_text("some text")
    with pytest.raises(DataError, match="plain text has no columns"):
        read(tmp_path, "story.txt", target="label")
    with pytest.raises(DataError, match=r"did you mean .*story\.txt"):
        read(tmp_path, "stroy.txt")
    assert is_plain("story.txt", tmp_path)
