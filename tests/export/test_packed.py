from dataclasses import replace

import pytest

from headway.export.packed import Packed


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Hotel Reviews", "hotel-reviews"), ("酒店", "model"), ("-a_b-", "a-b"), ("x" * 90, "x" * 40), ("é1", "1")],
)
def test_a_slug_is_a_dns_label(packed_table, name, slug):
    assert Packed(replace(packed_table.manifest, name=name), packed_table.files).slug == slug


def test_the_version_changes_with_the_files(packed_table):
    manifest = packed_table.manifest
    other = replace(manifest, files={**manifest.files, "model.onnx": "0" * 64})
    assert Packed(other, packed_table.files).version != packed_table.version
    assert len(packed_table.version) == 12
