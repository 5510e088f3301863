import numpy as np

from headway.export.browser.probing import probe_rows
from tests.runtime.manifests import FULL


def test_every_input_has_its_example_its_oddities_and_a_gap():
    rows = probe_rows(FULL)
    assert rows[0]["review"] == "很好"
    assert set(rows[-1].values()) == {None}
    assert {"北京", "Paris"} <= {row["city"] for row in rows}
    assert any(row["stars"] == "-1,234.5" for row in rows)
    shapes = {row["photo"].shape for row in rows if row["photo"] is not None}
    assert len(shapes) > 1
    assert all(row["photo"].dtype == np.uint8 for row in rows if row["photo"] is not None)


def test_the_rows_are_the_same_each_time():
    first, second = probe_rows(FULL), probe_rows(FULL)
    for a, b in zip(first, second, strict=True):
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])
