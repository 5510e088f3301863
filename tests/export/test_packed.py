from dataclasses import replace

import pytest

from headway.errors import ExportError
from headway.export.packed import Packed, open_packed
from tests.runtime.painters import write_painter


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


def test_a_package_that_draws_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(ExportError, match=r"(?s)draws pictures cannot be taken elsewhere.*headway serve"):
        open_packed(write_painter(tmp_path / "package"))
