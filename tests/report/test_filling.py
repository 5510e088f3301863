import polars as pl

from headway.data.dataset import ROW, Column
from headway.data.profiling import ColumnProfile, Profile
from headway.report.content import LabelError
from headway.report.filling import fill_changes, fill_columns, fill_label_errors

ROWS = pl.DataFrame({ROW: range(6), "text": list("abcdef"), "id": range(6)}).cast({ROW: pl.UInt32})
INPUTS = (Column("text", "text"),)


def column(name, modality, **more) -> ColumnProfile:
    return ColumnProfile(name, "String", modality, modality is not None, "an identifier", 10, 1, 7, **more)


def test_columns_get_a_note_by_their_kind():
    spread = {"0.05": 1.0, "0.5": 20.0, "0.95": 3000.0}
    profile = Profile(
        read=10, rejected=0, rows=10, used=10, test_rows=None,
        target=column("label", "category", top=(("好", 6), ("坏", 4))),
        columns=(
            column("text", "text", quantiles=spread, languages={"zh": 0.9, "en": 0.1, "other": 0.0}),
            column("size", "number", quantiles=spread),
            column("day", "date", range=("2026-01-01", "2026-02-01")),
            column("id", None),
        ),
        classes={}, duplicates=0, near_duplicates=0, contradictions=0, leaked=0, leaks=(), rejected_reasons={},
        findings=(), sampled=None,
    )  # fmt: skip
    facts = fill_columns(profile, "en")
    assert [(each.name, each.role, each.missing) for each in facts] == [
        ("label", "target", 0.1),
        ("text", "input", 0.1),
        ("size", "input", 0.1),
        ("day", "input", 0.1),
        ("id", "ignored", 0.1),
    ]
    assert [each.note for each in facts] == [
        "好 (6), 坏 (4)",
        "1 – 3,000 characters, half under 20, Chinese text 90.0%, text in Latin letters 10.0%",
        "1.000 – 3,000, half under 20.00",
        "2026-01-01 – 2026-02-01",
        "an identifier",
    ]
    assert fill_columns(profile, "zh")[1].note == "1 – 3,000 字符，中位数 20、中文文本 90.0%、拉丁字母文本 10.0%"


def test_changes_are_counted_by_reason_with_examples():
    changes = pl.DataFrame(
        {ROW: [1, 2, 3, 4, 5], "step": ["duplicate"] * 4 + ["leaked"], "reason": ["same"] * 4 + ["in training"]}
    ).cast({ROW: pl.UInt32})
    rejected = pl.DataFrame(
        {
            "file": ["/home/me/a.csv", "/home/me/b.png"],
            "row": [7, 9],
            "column": [None, "x"],
            "reason": ["3 fields"] * 2,
            "value": ["v", "/home/me/b.png"],
        }
    )
    found = fill_changes(ROWS, INPUTS, changes, rejected)
    assert [(each.step, each.reason, each.rows) for each in found] == [
        ("duplicate", "same", 4),
        ("rejected", "3 fields", 2),
        ("leaked", "in training", 1),
    ]
    assert [(each["file"], each["value"]) for each in found[1].examples] == [("a.csv", "v"), ("b.png", "b.png")]
    assert found[0].examples == ({"text": "b"}, {"text": "c"}, {"text": "d"})
    assert found[1].examples[0] == {"file": "a.csv", "row": 7, "column": None, "value": "v"}


def test_label_errors_keep_their_order_and_find_their_cells():
    errors = pl.DataFrame(
        {ROW: [4, 1], "label": ["x", "y"], "suggested": ["y", "x"], "confidence": [0.9, 0.8]},
        schema_overrides={ROW: pl.UInt32},
    )
    assert fill_label_errors(ROWS, INPUTS, errors) == (
        LabelError(4, {"text": "e"}, "x", "y", 0.9),
        LabelError(1, {"text": "b"}, "y", "x", 0.8),
    )
