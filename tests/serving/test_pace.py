import time

import pytest

from headway.serving.pace import measure_pace
from tests.serving.packages import open_tiny


class Slow:
    """A model that takes a fixed time for each row, and notes how many rows it was asked at once."""

    def __init__(self, seconds):
        model = open_tiny("texts")
        self.manifest, self.columns = model.manifest, model.columns
        self.seconds, self.asked = seconds, []

    def predict(self, rows):
        self.asked.append(len(rows))
        time.sleep(self.seconds * len(rows))


def test_a_slow_model_is_asked_few_rows_and_its_pace_is_found_all_the_same():
    slow, quick = Slow(0.02), Slow(0.0005)
    pace = measure_pace(slow, quick=True)
    measure_pace(quick, quick=True)
    assert sum(slow.asked) <= 16
    assert max(slow.asked) < max(quick.asked)
    assert pace.of(8, pace.row_items) == pytest.approx(0.16, rel=0.5)
    assert not pace.inline
