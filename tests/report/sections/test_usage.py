import ast
import json

from headway.report.content import PackageFacts
from headway.report.sections.usage import show_usage, write_json, write_python

PACKAGE = PackageFacts("runs/it's/package", 5.2, example={"text": 'a "quoted"\nline', "size": 0.1234567891, "n": None})


def test_the_lines_of_python_are_python():
    tree = ast.parse(write_python(PACKAGE))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Dict)]
    assert ast.literal_eval(calls[0]) == {"text": 'a "quoted"\nline', "size": 0.123457, "n": None}


def test_an_answer_is_json():
    assert json.loads(write_json({"prediction": "好", "p_好": 0.87654321})) == {"prediction": "好", "p_好": 0.8765}
    assert "好" in write_json({"prediction": "好"})


def test_what_was_not_measured_is_not_shown():
    shown = show_usage(PACKAGE, "en")
    assert "size on disk" in shown
    assert "memory" not in shown
    assert "It answers" not in shown
