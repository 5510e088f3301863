import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from headway.serving.shared_memory import make_board_file
from headway.serving.telemetry import MODELS, SIZE, SLOT_SECONDS, Telemetry, expose, quantile


def test_workers_count_apart_and_are_read_together(tmp_path):
    path = make_board_file(3, SIZE, tmp_path)
    first, second = (Telemetry.open(path, workers=3, index=index) for index in (0, 2))
    first.answered(200, 0.004, 5, 0)
    second.answered(422, 0.001, 0, None)
    second.answered(200, 0.004, 2, 0)
    assert first.by_status()[200] == 2
    assert second.read("rows") == 7
    assert first.rows_of(0) == 7
    again = Telemetry.open(path, workers=3, index=2)
    again.answered(200, 0.004, 1, 0)
    assert first.read("rows") == 8


def test_a_deployment_that_takes_the_place_of_one_long_gone_counts_from_nothing():
    telemetry = Telemetry.alone()
    telemetry.answered(200, 0.004, 5, 1)
    telemetry.answered(200, 0.004, 2, MODELS + 1)
    assert (telemetry.rows_of(1), telemetry.rows_of(MODELS + 1)) == (0, 2)
    text = expose(telemetry, {number: ("m", f"v{number}") for number in range(MODELS + 2)}).decode()
    assert 'version="v1"' not in text
    assert f'headway_rows_total{{model="m",version="v{MODELS + 1}"}} 2.0' in text


def test_the_last_minutes_are_kept_slot_by_slot_and_old_rounds_forgotten(monkeypatch):
    now = [10_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    telemetry = Telemetry.alone()
    telemetry.answered(200, 0.01, 1, 0)
    telemetry.answered(500, 0.2, 0, None)
    now[0] += 2 * SLOT_SECONDS
    telemetry.answered(200, 0.01, 3, 0)
    moments = telemetry.moments()
    assert len(moments) == 150
    assert (moments[-3].requests, moments[-3].errors, moments[-3].rows) == (2, 1, 1)
    assert moments[-2].requests == 0
    assert moments[-2].p50 is None
    assert moments[-1].rows == 3
    now[0] += 150 * SLOT_SECONDS
    assert sum(moment.requests for moment in telemetry.moments()) == 0


def test_prometheus_can_read_it():
    telemetry = Telemetry.alone()
    telemetry.answered(200, 0.004, 5, 0)
    text = expose(telemetry, {0: ("reviews", "abc")}).decode()
    found = {sample.name: sample for family in text_string_to_metric_families(text) for sample in family.samples}
    assert found["headway_rows_total"].value == 5
    assert found["headway_rows_total"].labels == {"model": "reviews", "version": "abc"}
    assert found["headway_request_seconds_count"].value == 1
    assert found["headway_request_seconds_sum"].value == pytest.approx(0.004)


def test_quantiles_lie_in_the_right_bucket():
    assert quantile([0, 0, 10, 0], 0.5) == pytest.approx(0.0015)
    assert quantile([0, 0], 0.5) is None
    assert 0.0005 < quantile([1, 99], 0.95) <= 0.001
