from dataclasses import replace

import pytest

from headway.errors import PackageError
from headway.runtime.manifest import InputColumn
from headway.serving.release import check_release
from tests.serving.packages import open_tiny

CURRENT = open_tiny("numbers").manifest


def test_an_equal_or_better_package_is_released_with_its_figures():
    found = check_release(open_tiny("numbers", metrics={"accuracy": 0.92}), CURRENT)
    assert (found["metric"], found["before"], found["now"]) == ("accuracy", 0.9, 0.92)
    assert found["parity"] < 1e-4
    check_release(open_tiny("texts"), None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metrics": {"accuracy": 0.7}}, "worse than the one it replaces: accuracy"),
        ({"labels": ("差评", "其他")}, "other labels"),
    ],
)
def test_a_worse_or_different_package_is_refused(changes, words):
    with pytest.raises(PackageError, match=words):
        check_release(open_tiny("numbers", **changes), CURRENT)


def test_another_task_and_further_columns_are_refused():
    with pytest.raises(PackageError, match="another task"):
        check_release(open_tiny("values"), CURRENT)
    narrower = replace(CURRENT, inputs=(InputColumn("a", "number"),))
    with pytest.raises(PackageError, match="do not send yet"):
        check_release(open_tiny("numbers"), narrower)


def test_a_smaller_error_is_better():
    current = replace(CURRENT, metrics={"log_loss": 0.5}, intervals={"log_loss": (0.4, 0.6)})
    check_release(open_tiny("numbers", metrics={"log_loss": 0.1}), current)
    with pytest.raises(PackageError, match="log_loss"):
        check_release(open_tiny("numbers", metrics={"log_loss": 0.7}), current)


def test_a_package_of_other_targets_is_refused():
    current = open_tiny("several").manifest
    check_release(open_tiny("several"), current)
    side, far = current.targets
    with pytest.raises(PackageError, match="only in one: side: False, side: maybe"):
        check_release(open_tiny("several"), replace(current, targets=(replace(side, labels=("maybe", True)), far)))
