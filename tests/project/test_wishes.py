import pytest

from headway.errors import ProjectError
from headway.project import build

FAMILIES = {"ngram_linear": frozenset({"l1"}), "cnn": frozenset({"dropout"})}


def problems_of(**keys):
    with pytest.raises(ProjectError) as caught:
        build(data="a.csv", target="y", families=FAMILIES, **keys)
    return [problem.what for problem in caught.value.problems]


def test_a_setting_that_a_family_does_not_honour():
    assert problems_of(models={"ngram_linear": {"dropout": 0.5}}) == [
        'the candidate "ngram_linear" does not honour "dropout"'
    ]


def test_a_family_named_twice():
    assert problems_of(models=["cnn", {"cnn": {"dropout": 0.1}}]) == ['the candidate "cnn" is named twice']


def test_columns_in_two_roles():
    assert problems_of(inputs={"y": "text"}) == ['the target "y" is also an input']
    assert problems_of(ignore=["y"]) == ['the target "y" is ignored']
    assert problems_of(inputs={"a": "text"}, ignore=["a"]) == ['the column "a" is both an input and ignored']


def test_a_metric_or_loss_of_the_other_task():
    assert problems_of(task="classify", metric="rmse") == ["metric rmse does not fit the task classify"]
    assert problems_of(task="regress", metric="accuracy") == ["metric accuracy does not fit the task regress"]
    assert problems_of(task="regress", training={"loss": "focal", "label_smoothing": 0.1}) == [
        "the loss focal does not fit the task regress",
        "label_smoothing has no meaning for the task regress",
    ]


def test_two_draws_of_no_dropout():
    found = ["r_drop compares two draws of dropout, and there is no dropout"]
    assert problems_of(task="classify", training={"r_drop": 1.0, "dropout": 0}) == found
    assert problems_of(training={"r_drop": 1.0, "dropout": 0}) == found


def test_half_a_decision():
    assert problems_of(decision={"label": "a"}) == ["half a decision"]
    assert problems_of(decision={"precision": 0.9, "label": "a", "costs": {"a": {"b": 1}}}) == [
        "two rules for one decision"
    ]
    assert problems_of(task="regress", decision={"costs": {"a": {"b": 1}}}) == [
        "decision has no meaning for the task regress"
    ]


def test_shares_that_leave_nothing():
    assert problems_of(split={"test": 0.5, "valid": 0.5}) == ["test and valid leave too few rows to train on"]


def test_text_to_be_written_needs_no_target_and_others_do():
    assert build(data="a.txt", task="generate").target is None
    for task in (None, "classify"):
        with pytest.raises(ProjectError, match='the key "target" is missing'):
            build(data="a.csv", task=task)
    with pytest.raises(ProjectError) as caught:
        build(data="a.txt", task="generat")
    (problem,) = caught.value.problems
    assert problem.fix == 'did you mean "generate"?'


def test_what_has_no_meaning_for_text_to_be_written():
    with pytest.raises(ProjectError) as caught:
        build(
            data="a.jsonl",
            task="generate",
            inputs={"title": "text", "year": "number"},
            metric="accuracy",
            decision={"precision": 0.9},
            unlabelled="b.csv",
            split={"group": "author"},
        )
    assert {problem.what for problem in caught.value.problems} == {
        "decision has no meaning for the task generate",
        "unlabelled has no meaning for the task generate",
        "split.group has no meaning for the task generate",
        'the prompt "year" is no text',
        "inputs are prompts, and the column to write is not named",
        "metric accuracy does not fit the task generate",
    }


HISTORY = {"time": "when", "keys": ["card", "shop"], "values": ["amount"], "delay": "7d"}


def test_a_history_in_which_something_contradicts():
    assert build(data="a.csv", target="y", history=HISTORY).history.windows == (86_400.0, 604_800.0, 2_592_000.0)
    assert problems_of(history={**HISTORY, "values": ["y"]}) == ['the target "y" is among history.values']
    assert problems_of(history={**HISTORY, "keys": ["card", "card"]}) == ["history.keys names a column twice"]
    assert problems_of(history={**HISTORY, "keys": ["when"]}) == ['the column "when" is both the time and a key']
    assert problems_of(history={**HISTORY, "block": "cart"}) == ['history.block has no choice "cart"']
    assert problems_of(history={"time": "when", "keys": ["card"], "event": 1}) == ["history.event needs history.delay"]
    assert problems_of(history=HISTORY, unlabelled="more.csv") == ["unlabelled rows have no history"]


def test_misspelt_keys_of_a_history():
    with pytest.raises(ProjectError) as caught:
        build(data="a.csv", target="y", history={**HISTORY, "widnows": ["1d"], "delay": "a week"})
    told = str(caught.value)
    assert 'did you mean "windows"?' in told
    assert "a duration such as 30s, 5m or 1h30m" in told
    assert problems_of(history={"time": "when", "keys": []}) == ["history.keys has a value that does not fit"]


def test_dates_of_the_parts():
    good = {"time": "when", "train_from": "2018-07-25", "train_until": "2018-08-01", "test_from": "2018-08-08"}
    split = build(data="a.csv", target="y", split=good).split
    assert split.is_dated
    assert split.test_from - split.train_until == 7 * 86_400
    assert problems_of(split={"test_from": "2018-08-08"}) == ["split.test_from is about no column"]
    assert problems_of(split={**good, "train_until": "2018-07-01"}) == [
        "split.train_until lies before split.train_from"
    ]
    assert problems_of(split=good, test="b.csv") == ["the test part is named twice"]
    assert problems_of(split={**good, "test_from": "next week"}) == ["split.test_from has a value that does not fit"]


def problems_of_several(**keys):
    with pytest.raises(ProjectError) as caught:
        build(data="a.csv", **{"targets": ["topic", "price"], **keys})
    return [problem.what for problem in caught.value.problems]


def test_several_targets_with_or_without_their_tasks():
    assert build(data="a.csv", targets=["topic", "price"]).targets == {"topic": None, "price": None}
    assert build(data="a.csv", targets={"topic": None, "price": "regress"}).targets == {
        "topic": None,
        "price": "regress",
    }


def test_what_several_targets_cannot_be():
    assert problems_of_several(target="topic") == ["target and targets at once"]
    assert problems_of_several(targets=["topic"]) == ["targets has a value that does not fit"]
    assert problems_of_several(targets=["topic", "topic"]) == ["targets has a value that does not fit"]
    assert problems_of_several(targets="topic") == ["targets has a value that does not fit"]
    assert problems_of_several(targets={"topic": "clasify", "price": None}) == ['targets.topic has no choice "clasify"']
    assert problems_of_several(inputs={"topic": "text", "text": "text"}) == ['the target "topic" is also an input']
    assert problems_of_several(ignore=["price"]) == ['the target "price" is ignored']


def test_what_is_not_done_for_several_targets_is_told_at_once():
    assert problems_of_several(
        task="classify",
        metric="accuracy",
        decision={"precision": 0.9, "label": "a"},
        descriptions={"a": "b"},
        compress={"drop": "1%"},
        cleaning={"label_errors": "drop"},
        training={"class_weights": {"a": 2}},
    ) == [
        "task has no meaning for several targets",
        "metric has no meaning for several targets",
        "decision has no meaning for several targets",
        "descriptions has no meaning for several targets",
        "a package of several targets cannot be compressed yet",
        "label_errors: drop works for one target alone",
        "class_weights for each label do not say of which target",
    ]
