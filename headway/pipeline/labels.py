"""Labels that look wrong, found by the winner's answers to rows it had not learnt from."""

from __future__ import annotations

from dataclasses import replace

from headway.data.dataset import ROW
from headway.data.label_errors import find_label_errors
from headway.errors import MissingExtraError
from headway.pipeline.attempt import Attempt
from headway.pipeline.competing import Competed
from headway.pipeline.events import Remark
from headway.pipeline.preparing import Prepared, write_parquet
from headway.report.content import LabelError

LABEL_ERRORS = "label_errors.parquet"
MOST_SHOWN = 20


def find_doubtful_labels(attempt: Attempt, prepared: Prepared, competed: Competed) -> tuple[LabelError, ...]:
    """Write the rows of the validation part whose label looks wrong, and return the surest ones for the report."""
    if attempt.project.cleaning.label_errors == "off" or competed.task.kind != "classify":
        return ()
    positions = competed.contest.valid
    dataset = prepared.dataset
    judged = replace(
        dataset,
        rows=dataset.rows[positions],
        y=dataset.y[positions],
        groups=dataset.groups[positions],
        weight=None,
    )
    try:
        found = find_label_errors(judged, competed.tournament.answers)
    except MissingExtraError as error:
        attempt.listen(Remark(f"labels were not checked: {error.problems[0].fix}"))
        return ()
    write_parquet(attempt.folder.path / LABEL_ERRORS, found)
    rows = dataset.rows.select(ROW, *(column.name for column in dataset.inputs if column.modality != "image"))
    shown = found.head(MOST_SHOWN).join(rows, on=ROW, how="left", maintain_order="left")
    return tuple(as_label_error(row) for row in shown.to_dicts())


def as_label_error(row: dict[str, object]) -> LabelError:
    """Return one line of the report."""
    told = {"position", "label", "suggested", "confidence", "quality", ROW}
    return LabelError(
        row=int(str(row[ROW])),
        cells={name: cell for name, cell in row.items() if name not in told},
        given=str(row["label"]),
        suggested=str(row["suggested"]),
        confidence=float(str(row["confidence"])),
    )
