"""Run the page's own modules in Node.js and hold their answers against the Python runtime's."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from headway.errors import ExportError
from headway.export.browser.probing import probe_rows
from headway.export.packed import Packed
from headway.package.parity import TOLERANCE

_TIMEOUT = 300.0


def try_site(packed: Packed, files: Mapping[str, bytes]) -> bool:
    """Return whether the page could be tried here (Node.js is needed).

    Raises `ExportError` where it fails or answers differently: another decision (labels within 1e-4 of each other
    count as tied), or a probability or a relative value off by more than 1e-4.
    """
    node = shutil.which("node")
    if node is None:
        return False
    rows = probe_rows(packed.manifest)
    answers = _ask(node, files, [_plain(row) for row in rows])
    _compare(packed, rows, np.asarray(answers, dtype=np.float64).reshape(len(rows), -1))
    return True


def _ask(node: str, files: Mapping[str, bytes], rows: list[dict[str, Any]]) -> list[list[float]]:
    """Return what the page's modules answer to the rows: probabilities in the labels' order, or one value."""
    script = resources.files("headway.export.browser").joinpath("try_site.js").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="headway-") as scratch:
        for name, content in files.items():
            path = Path(scratch) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (Path(scratch) / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
        try:
            done = subprocess.run(  # noqa: S603 - the page's own modules
                [node, "--input-type=module", "-"],
                input=script,
                cwd=scratch,
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ExportError("the browser runtime did not answer", got=f"nothing in {_TIMEOUT:.0f} s") from error
    if done.returncode != 0:
        raise ExportError(
            "the browser cannot run this package",
            got=done.stderr.strip()[-500:],
            fix="take it to a server instead: headway export --to docker",
        )
    answers: list[list[float]] = json.loads(done.stdout)
    return answers


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON; a picture becomes its RGBA pixels as a canvas would give them."""
    return {name: _pixels(cell) if isinstance(cell, np.ndarray) else cell for name, cell in row.items()}


def _pixels(picture: np.ndarray) -> dict[str, Any]:
    height, width, _ = picture.shape
    opaque = np.concatenate([picture, np.full((height, width, 1), 255, np.uint8)], axis=2)
    return {"width": width, "height": height, "pixels": base64.b64encode(opaque.tobytes()).decode()}


def _compare(packed: Packed, rows: list[dict[str, Any]], answers: np.ndarray) -> None:
    """Raise `ExportError` unless the answers are the Python runtime's."""
    expected = packed.model.predictor.run(packed.columns(rows)).astype(np.float64)
    if answers.shape != expected.shape:
        raise ExportError("the browser answers in another shape", expected=str(expected.shape), got=str(answers.shape))
    away = np.abs(answers - expected)
    scale = 1.0
    changed = 0
    if packed.manifest.task == "classify":
        lost = expected.max(axis=1) - expected[np.arange(len(expected)), answers.argmax(axis=1)]
        changed = int((lost > TOLERANCE).sum())
    else:
        scale = max(1.0, float(np.abs(expected).max(initial=0)))
    if changed or not away.max(initial=0) <= TOLERANCE * scale:
        raise ExportError(
            "the browser answers differently from the Python runtime",
            expected=f"the same decisions, and numbers within {TOLERANCE * scale:.2g}",
            got=f"{changed} of {len(rows)} decisions changed, the largest difference is {away.max():.2g}",
            fix="report it; take the package to a server instead: headway export --to docker",
        )
