import json
from pathlib import Path

import pytest

from headway.errors import DataError, Problem, ProjectError
from headway.project import build, change_time, naming_lines, read

FAMILIES = {
    "baseline": frozenset(),
    "ngram_linear": frozenset({"l1", "class_weights"}),
    "cnn": frozenset({"dropout", "epochs", "optimizer"}),
}


def write(tmp_path, text):
    path = tmp_path / "headway.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(tmp_path, text):
    with pytest.raises(ProjectError) as caught:
        read(write(tmp_path, text), families=FAMILIES)
    return caught.value.problems


def test_the_smallest_project(tmp_path):
    project = read(write(tmp_path, "data: data/reviews.csv\ntarget: label\n"), families=FAMILIES)
    assert (project.name, project.data, project.target) == ("reviews", "data/reviews.csv", "label")
    assert project.folder == tmp_path
    assert project.models == "auto"
    assert project.budget.time == 300


def test_a_full_project_with_human_units(tmp_path):
    project = read(
        write(
            tmp_path,
            """
name: 酒店评论
data: reviews.csv
target: 标签
test: test.csv
inputs: {评论: text, 价格: number}
ignore: [编号]
task: classify
budget: {time: 1h30m, memory: 4GB}
limits: {latency_p95: 20ms, size: 50MB}
models: [ngram_linear, cnn: {dropout: 0.3}]
metric: f1_macro
split: {test: 20%, valid: 0.1, folds: 5}
training: {class_weights: {0: 1, 1: 2.5}, optimizer: adamw}
decision: {label: 差评, precision: 95%}
seed: 7
""",
        ),
        families=FAMILIES,
    )
    assert project.name == "酒店评论"
    assert project.inputs == {"评论": "text", "价格": "number"}
    assert (project.budget.time, project.budget.memory) == (5400, 4096)
    assert (project.limits.latency_p95, project.limits.size) == (20, 50)
    assert list(project.models) == ["ngram_linear", "cnn"]
    assert project.models["cnn"].dropout == 0.3
    assert (project.split.test, project.split.valid) == (0.2, 0.1)
    assert project.training.class_weights == {"0": 1, "1": 2.5}
    assert project.decision.precision == 0.95


@pytest.mark.parametrize("models", ["auto", "cnn", "[cnn]", "{cnn: }", "[cnn: ]", "{cnn: {epochs: 3}}"])
def test_models_as_a_word_a_list_or_a_mapping(tmp_path, models):
    project = read(write(tmp_path, f"data: a\ntarget: b\nmodels: {models}\n"), families=FAMILIES)
    assert project.models == "auto" or list(project.models) == ["cnn"]


def test_a_key_with_nothing_after_it_is_left_out(tmp_path):
    project = read(write(tmp_path, "data: a\ntarget: b\nbudget:\nsplit: {test: }\nmodels:\n"))
    assert project.budget.time == 300
    assert project.split.test is None


def test_every_problem_at_once_in_the_order_of_the_file(tmp_path):
    problems = problems_of(
        tmp_path,
        "dta: a.csv\ntarget: 3\nbudget: {time: 5 parsecs, tme: 5m}\n"
        "models: [ngram_liner, cnn: {dropot: 1, epochs: ten}]\n"
        "training:\n  optimizer: adamm\n  epochs: 1.5\nsplit: {test: 20}\nbudget: {}\n",
    )
    text = "\n".join(f"{p.where} {p.what} {p.fix}" for p in problems)
    for line, words in [
        (1, 'unknown key "dta" did you mean "data"?'),
        (2, 'target has a value that does not fit put it in quotes: target: "3"'),
        (3, "budget.time has a value"),
        (3, 'unknown key "tme" in budget did you mean "time"?'),
        (4, 'no candidate family "ngram_liner" did you mean "ngram_linear"?'),
        (4, 'unknown key "dropot" in models.cnn did you mean "dropout"?'),
        (4, "models.cnn.epochs has a value that does not fit"),
        (6, 'training.optimizer has no choice "adamm" did you mean "adam"?'),
        (7, "training.epochs has a value that does not fit"),
        (8, "split.test has a value that does not fit did you mean 20%?"),
        (9, 'the key "budget" stands here a second time'),
    ]:
        assert f"headway.yaml:{line} {words}" in text
    assert "is missing" not in text  # the misspelt key is told once
    assert len(problems) == 11


@pytest.mark.parametrize(
    ("line", "got", "fix"),
    [
        ("budget: 10s", '"10s"', "did you mean budget: {time: 10s}?"),
        ("budget: 10", "the number 10", "did you mean budget: {time: 10s}?"),
        ('budget: {time: "2"}', '"2"', "did you mean 2s?"),
        ("split: {test: 120%}", '"120%"', ""),
        ("split: {test: 20}", "the number 20", "did you mean 20%?"),
    ],
)
def test_slips_with_units(tmp_path, line, got, fix):
    (problem,) = problems_of(tmp_path, f"data: a.csv\ntarget: y\n{line}\n")
    assert (problem.got, problem.fix) == (got, fix)


def test_no_word_of_pydantic_gets_out(tmp_path):
    text = (
        "data: [a]\ntarget: {}\ntest: 1\ninputs: 3\nignore: x\ntask: []\nbudget: 5\nlimits: {size: .inf}\nmodels: 3\n"
    )
    text += "metric: acc\nreading: {header: 1, columns: a}\ncleaning: {duplicates: 1}\nsplit: {folds: 1}\n"
    text += (
        "training: {class_weights: {a: -1}, augment: 1, momentum: 1}\ndecision: {costs: {a: 1}}\nseed: -1\nname: ''\n"
    )
    words = " ".join(f"{p.what} {p.expected} {p.got} {p.fix}" for p in problems_of(tmp_path, text))
    for word in ("Input", "should", "valid ", "dict", "tuple", "Literal", "pydantic", "instance", "int ", "str "):
        assert word not in words
    assert "Value error" not in words


def test_a_key_from_another_place_is_sent_there(tmp_path):
    (top, nested) = problems_of(tmp_path, "data: a\ntarget: b\nepochs: 3\nbudget: {target: c}\n")
    assert top.fix == "it belongs under training:"
    assert "top level" in nested.fix


def test_chinese_keys_are_answered_with_the_english_one(tmp_path):
    problems = problems_of(tmp_path, "数据: a.csv\ntarget: 标签\n")
    assert any('did you mean "data"?' in p.fix for p in problems)


def test_the_folder_is_no_key_of_the_file(tmp_path):
    (problem,) = problems_of(tmp_path, "data: a\ntarget: b\nfolder: /etc\n")
    assert problem.what == 'unknown key "folder"'
    assert problem.where == "headway.yaml:3"


def test_a_folder_stands_for_the_file_in_it(tmp_path):
    write(tmp_path, "data: a.csv\ntarget: b\n")
    assert read(tmp_path).name == "a"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("data/reviews.csv", "reviews"),
        ("评论.csv", "评论"),
        ("images/", "images"),
        ("my reviews (1).csv.zip", "my-reviews-1"),
        ("sqlite:///shop.db?query=x", "shop"),
        ("data/*.csv", "project-folder"),
        ("..", "project-folder"),
    ],
)
def test_the_name_defaults_to_the_stem_of_the_data(tmp_path, data, name):
    folder = tmp_path / "project-folder"
    folder.mkdir()
    assert read(write(folder, f"data: '{data}'\ntarget: b\n")).name == name


def test_python_arguments_make_the_same_project_as_the_file(tmp_path):
    from_file = read(
        write(tmp_path, "data: a.csv\ntarget: b\nignore: [c]\nbudget: {time: 30s}\nmodels: [cnn: {epochs: 2}]\n")
    )
    from_python = build(
        data=Path("a.csv"),
        target="b",
        ignore=["c"],
        budget={"time": "30s"},
        models=[{"cnn": {"epochs": 2}}],
        folder=tmp_path,
    )
    assert from_python == from_file


def test_python_arguments_are_checked_alike():
    with pytest.raises(ProjectError) as caught:
        build(data="a.csv", target="b", budget={"tme": 3}, models=["cn"], families=FAMILIES)
    assert [p.what for p in caught.value.problems] == ['unknown key "tme" in budget', 'no candidate family "cn"']


@pytest.mark.parametrize("memory", [4, "4MB", 63.9])
def test_memory_that_not_even_python_has_room_in_is_a_missing_unit(memory):
    with pytest.raises(ProjectError, match="64MB or more, such as 4GB; a number alone counts megabytes"):
        build(data="a.csv", target="b", budget={"memory": memory})
    assert build(data="a.csv", target="b", budget={"memory": 512}).budget.memory == 512


def test_the_time_can_be_changed(tmp_path):
    project = build(data="a.csv", target="b", budget={"time": "5m", "memory": "1GB"}, folder=tmp_path)
    assert change_time(project, "10s").budget.time == 10
    assert change_time(project, "10s").budget.memory == 1024
    with pytest.raises(ProjectError, match="a duration such as"):
        change_time(project, "soon")


def test_a_project_survives_json(tmp_path):
    """A run folder keeps its project as JSON."""
    project = build(
        data="a.csv",
        target="b",
        ignore=["c"],
        models=[{"cnn": {"epochs": 2}}, "ngram_linear"],
        decision={"label": 1, "precision": 0.9},
        training={"class_weights": {"0": 2}},
        folder=tmp_path,
    )
    text = json.dumps({**project.model_dump(mode="json"), "folder": str(project.folder)})
    assert type(project).model_validate_json(text) == project


def test_a_base_and_unlabelled_rows_are_named(tmp_path):
    (tmp_path / "headway.yaml").write_text("data: a.csv\ntarget: y\nbase: none\nunlabelled: more.csv\n")
    project = read(tmp_path)
    assert (project.base, project.unlabelled) == ("none", "more.csv")
    assert build(data="a.csv", target="y").base == "auto"
    assert build(data="a.csv", target="y", base=tmp_path, unlabelled=tmp_path / "b.csv").base == str(tmp_path)


def test_labels_are_described(tmp_path):
    (tmp_path / "headway.yaml").write_text("data: a.csv\ntarget: y\ndescriptions: {0: unhappy, 1: happy}\n")
    assert read(tmp_path).descriptions == {"0": "unhappy", "1": "happy"}
    assert build(data="a.csv", target="y", descriptions={"a": "b"}).descriptions == {"a": "b"}
    with pytest.raises(ProjectError):
        build(data="a.csv", target="y", descriptions={"a": ""})


def test_problems_of_several_targets_name_their_lines(tmp_path):
    text = "data: a.csv\ntargets:\n  topic: clasify\n  price:\ntask: classify\ninputs: {price: number, text: text}\n"
    found = [(problem.where, problem.what, problem.fix) for problem in problems_of(tmp_path, text)]
    assert found == [
        ("headway.yaml:3", 'targets.topic has no choice "clasify"', 'did you mean "classify"?'),
        (
            "headway.yaml:5",
            "task has no meaning for several targets",
            "give each target its own: targets: {topic: classify, price: regress}",
        ),
        ("headway.yaml:6", 'the target "price" is also an input', "remove it from inputs"),
    ]


def test_what_a_key_of_the_file_asks_for_is_told_with_its_line(tmp_path):
    path = write(tmp_path, "data: a.csv\ntarget: lable\ninputs:\n  text: text\n  prise: number\n")
    wrong = (Problem("no price", "inputs", got="prise"), Problem("no label", "target", got="lable"))
    with pytest.raises(ProjectError) as caught, naming_lines(path):
        raise ProjectError(wrong)
    assert [(each.what, each.where) for each in caught.value.problems] == [
        ("no label", "headway.yaml:2"),
        ("no price", "headway.yaml:5"),
    ]
    with pytest.raises(ProjectError, match=r"headway.yaml:2: no label"), naming_lines(tmp_path):
        raise DataError("no label", where="target")


def test_errors_that_name_no_key_stay_as_they_are(tmp_path):
    path = write(tmp_path, "data: a.csv\ntarget: label\n")
    for error in (DataError("damaged", where="a.csv"), DataError("damaged"), ValueError("other")):
        with pytest.raises(type(error)) as caught, naming_lines(path):
            raise error
        assert caught.value is error
