from dataclasses import replace

from headway.export.kubernetes.resources import measure_resources
from headway.export.packed import Packed, open_packed


def test_what_was_measured_is_taken(packed_table):
    small = measure_resources(packed_table)
    large = measure_resources(Packed(replace(packed_table.manifest, measured={"memory_mb": 900.0}), packed_table.files))
    assert small.measured_mb == 100.0
    assert large.memory_mi > small.memory_mi + 900
    assert large.memory_limit_mi == 2 * large.memory_mi


def test_what_was_not_measured_is_measured_now(value_package):
    resources = measure_resources(open_packed(value_package))
    assert 20 < resources.measured_mb < 400
    assert resources.memory_mi > resources.measured_mb
