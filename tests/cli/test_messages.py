import re

import pytest

from headway.cli import messages
from headway.cli.messages import choose_language, say
from headway.errors import RunError
from headway.pipeline.events import STAGES


@pytest.mark.parametrize(
    ("wanted", "environment", "language"),
    [
        (None, {}, "en"),
        (None, {"LANG": "zh_CN.UTF-8"}, "zh"),
        (None, {"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        (None, {"LANG": "en_US.UTF-8", "HEADWAY_LANG": "zh"}, "zh"),
        ("en", {"HEADWAY_LANG": "zh"}, "en"),
        ("zh-Hans", {}, "zh"),
    ],
)
def test_the_language(wanted, environment, language):
    assert choose_language(wanted, environment) == language


def test_another_language_is_refused():
    with pytest.raises(RunError, match="en or zh"):
        choose_language("fr", {})


def test_every_stage_has_a_chinese_name():
    for stage in STAGES:
        assert say(stage, "en") == stage
        assert re.search(r"[一-鿿]", say(stage, "zh"))


def test_both_languages_leave_the_same_blanks():
    for english, chinese in messages._MESSAGES.values():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", chinese))


def test_a_path_is_one_word_of_a_command():
    assert messages.as_word("runs/图片/2026-1") == "runs/图片/2026-1"
    assert messages.as_word("带 空格/a.csv") == "'带 空格/a.csv'"
    assert messages.as_word("a.csv;rm") == "'a.csv;rm'"
