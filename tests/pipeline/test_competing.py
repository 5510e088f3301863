from types import SimpleNamespace

import pytest

from headway.pipeline.competing import TAIL_LEAST, compression_seconds, tail_of
from headway.project import build
from headway.tasks import Classify

BASES = {"text_encoder": object()}


@pytest.mark.parametrize(
    ("wish", "bases", "keeps"),
    [("auto", {}, False), ("auto", BASES, True), ("off", BASES, False), ({"drop": "1%"}, {}, True)],
)
def test_time_is_kept_for_compression_where_something_may_be_compressed(wish, bases, keeps):
    project = build(data="a.csv", target="y", budget={"time": 20}, compress=wish)
    contest = SimpleNamespace(task=Classify(("a", "b")), bases=bases)
    kept = compression_seconds(project) if keeps else 0.0
    assert tail_of(project, contest) == pytest.approx(TAIL_LEAST + kept)
