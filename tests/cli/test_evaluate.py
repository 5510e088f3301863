from dataclasses import replace

import pytest

from headway.cli.evaluate import score_table
from headway.data.reading import read
from headway.errors import DataError
from headway.runtime.archive import MODEL
from headway.runtime.manifest import InputColumn
from headway.runtime.model import assemble
from tests.cli.conftest import build_sum, describe_tiny


def test_dates_and_unreadable_numbers_of_a_csv_file_can_be_scored(tmp_path, capsys):
    manifest = describe_tiny()
    dated = replace(manifest, inputs=(*manifest.inputs, InputColumn("day", "date", None, ())))
    lines = [
        f"{n - 30},{'ten' if n == 3 else 0},2026-01-{n % 28 + 1:02d},{'好评' if n > 30 else '差评'}" for n in range(60)
    ]
    (tmp_path / "x.csv").write_text("\n".join(["a,b,day,标签", *lines]), encoding="utf-8")
    scores, unusable = score_table(assemble(dated, {MODEL: build_sum()}), read("x.csv", folder=tmp_path))
    assert scores.rows == 60
    assert not unusable
    assert "1 cell, not a finite number, in b" in capsys.readouterr().err


def test_only_a_few_of_many_unknown_labels_are_named(tmp_path):
    lines = [f"{n},0,label{n}" for n in range(60)]
    (tmp_path / "x.csv").write_text("\n".join(["a,b,标签", *lines]), encoding="utf-8")
    with pytest.raises(DataError, match="no row can be scored") as caught:
        score_table(assemble(describe_tiny(), {MODEL: build_sum()}), read("x.csv", folder=tmp_path))
    got = caught.value.problems[0].got
    assert got.count("is not in the training part") == 5
    assert got.endswith("...")
