import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import ProjectError
from headway.project.document import read_document
from headway.report.translation import translate_error


def write(tmp_path, text, *, encoding="utf-8"):
    path = tmp_path / "headway.yaml"
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return path


def problems_of(path):
    with pytest.raises(ProjectError) as caught:
        read_document(path)
    return caught.value.problems


def test_values_and_lines(tmp_path):
    document = read_document(write(tmp_path, "# a comment\ndata: a.csv\ninputs:\n  标题: text\nignore: [a,\n  b]\n"))
    assert document.values == {"data": "a.csv", "inputs": {"标题": "text"}, "ignore": ("a", "b")}
    assert document.place(("inputs", "标题")) == "headway.yaml:4"
    assert document.place(("ignore", 1)) == "headway.yaml:6"
    assert document.place(("inputs", "标题", "deeper")) == "headway.yaml:4"
    assert document.place(("unknown",)) == "headway.yaml"


def test_keys_are_the_text_that_stands_in_the_file(tmp_path):
    document = read_document(write(tmp_path, "weights: {0: 1, true: 2, 2024-01-01: 3}\nday: 2024-01-01\n"))
    assert document.values == {"weights": {"0": 1, "true": 2, "2024-01-01": 3}, "day": "2024-01-01"}


def test_every_duplicate_key_is_reported_and_the_first_kept(tmp_path):
    document = read_document(write(tmp_path, "a: 1\nb: {c: 1, c: 2}\na: 3\n"))
    assert document.values == {"a": 1, "b": {"c": 1}}
    assert [(p.what, p.where) for p in document.problems] == [
        ('the key "c" stands here a second time', "headway.yaml:2"),
        ('the key "a" stands here a second time', "headway.yaml:3"),
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n"])
def test_an_empty_file(tmp_path, text):
    (problem,) = problems_of(write(tmp_path, text))
    assert "empty" in problem.what or "not a mapping" in problem.what
    assert "headway init" in problem.fix


def test_not_a_mapping(tmp_path):
    (problem,) = problems_of(write(tmp_path, "\n- a\n- b\n"))
    assert problem.what == "the project file is not a mapping"
    assert problem.where == "headway.yaml:2"


def test_tabs_are_named_line_by_line(tmp_path):
    problems = problems_of(write(tmp_path, "budget:\n\ttime: 5m\n\tmemory: 4GB\n"))
    assert [(p.what, p.where) for p in problems] == [
        ("a tab at the start of the line", "headway.yaml:2"),
        ("a tab at the start of the line", "headway.yaml:3"),
    ]


@pytest.mark.parametrize("text", ["data： a.csv\ntarget: y\n", "data： a.csv\n"])
def test_a_full_width_colon_is_named(tmp_path, text):
    (problem,) = problems_of(write(tmp_path, text))
    assert problem.where == "headway.yaml:1"
    assert "full-width colon" in problem.what


def test_invalid_yaml_names_the_line(tmp_path):
    (problem,) = problems_of(write(tmp_path, "data: a.csv\nignore: [a, b\ntarget: y\n"))
    assert problem.what == "this is not valid YAML"
    assert problem.where.startswith("headway.yaml:")
    assert "bracket" in problem.fix
    assert translate_error(problem.got, "zh") != problem.got


def test_a_missing_file_names_init(tmp_path):
    (problem,) = problems_of(tmp_path / "headway.yaml")
    assert "headway init" in problem.fix


def test_a_data_file_is_not_a_project_file(tmp_path):
    (problem,) = problems_of(write(tmp_path, "a,b\n1,2\n" * 200_000))
    assert problem.what == "this is not a project file"
    assert "headway init" in problem.fix


def test_other_encodings(tmp_path):
    assert read_document(write(tmp_path, "target: 标签", encoding="utf-8-sig")).values == {"target": "标签"}
    assert read_document(write(tmp_path, "target: 标签", encoding="utf-16")).values == {"target": "标签"}
    (problem,) = problems_of(write(tmp_path, "data: a.csv\ntarget: 标签", encoding="gb18030"))
    assert problem.where == "headway.yaml:2"
    assert "UTF-8" in problem.what


def test_aliases_repeat_values_but_never_themselves(tmp_path):
    document = read_document(write(tmp_path, "a: &x [1, 2]\nb: *x\nc: &y {d: *y}\n"))
    assert document.values == {"a": (1, 2), "b": (1, 2), "c": {"d": None}}


def test_a_billion_laughs_are_built_once(tmp_path):
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert len(read_document(write(tmp_path, "\n".join(lines))).values) == 40


def test_deep_nesting_is_refused(tmp_path):
    (problem,) = problems_of(write(tmp_path, "a: " + "[" * 5000))
    assert problem.what in ("the project file is nested too deeply", "this is not valid YAML")


@given(content=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode("utf-8", "ignore"))))
def test_any_bytes_give_values_or_a_project_error(tmp_path_factory, content):
    path = write(tmp_path_factory.mktemp("any"), content)
    try:
        assert isinstance(read_document(path).values, dict)
    except ProjectError as error:
        assert error.problems  # noqa: PT017
