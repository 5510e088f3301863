import jsonschema
import pytest

from headway.project.json_schema import json_schema


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_a_project_with_human_units_is_valid(validator):
    validator.validate(
        {
            "data": "a.csv",
            "target": "y",
            "budget": {"time": "1h30m", "memory": "4GB"},
            "limits": {"latency_p95": "20ms", "size": 50},
            "split": {"test": "20%", "valid": 0.1},
            "models": ["ngram_linear", {"cnn": {"dropout": 0.3}}],
        }
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"tim": 1},
        {"folder": "x"},
        {"budget": {"time": "soon"}},
        {"metric": "acc"},
        {"split": {"test": 20}},
        {"target": 1},
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(validator, wrong):
    assert not validator.is_valid({"data": "a.csv", "target": "y", **wrong})


def test_only_data_and_target_are_needed(validator):
    validator.validate({"data": "a.csv", "target": "y"})
    assert not validator.is_valid({"data": "a.csv"})


def test_several_targets_are_a_list_or_a_mapping(validator):
    validator.validate({"data": "a.csv", "targets": ["topic", "price"]})
    validator.validate({"data": "a.csv", "targets": {"topic": None, "price": "regress"}})
    assert not validator.is_valid({"data": "a.csv", "targets": ["topic"]})
    assert not validator.is_valid({"data": "a.csv", "targets": {"topic": "guess", "price": None}})


def test_text_to_write_needs_no_target(validator):
    validator.validate({"data": "a.txt", "task": "generate"})
