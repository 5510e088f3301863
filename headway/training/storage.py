"""Finished candidates on disk, so that a killed run loses none of them.

One folder per candidate: `outcome.json`, `answers.npy`, `graph.onnx`, `feeds.json`, and the graph's files in `files/`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np

from headway.compute.drafts import whole_file, whole_folder
from headway.evaluation.calibration import Temperature
from headway.models.family import Curve, Estimate
from headway.package.graph import Graph
from headway.runtime.manifest_json import feeds_from_json, feeds_to_json
from headway.training.outcome import Outcome, Tournament

SHIPPED, BEGUN = ".shipped", ".begun"
MODEL = "graph.onnx"
APART = ("graph", "answers", "curves", "calibrations")


@dataclass(frozen=True)
class Begun:
    """What a candidate began with: its estimate, its share of the rows, and what it was to leave of the time."""

    estimate: Estimate
    share: float
    leaves: float


class Store:
    """Outcomes and refitted graphs under one folder."""

    def __init__(self, folder: Path) -> None:
        """Keep everything under `folder`, which is made on the first write."""
        self.folder = folder

    def begin(self, name: str, begun: Begun) -> None:
        """Remember what a candidate begins with; without room for that a killed run would admit it anew."""
        file = self.folder / BEGUN / f"{name}.json"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as draft:
                draft.write_text(json.dumps(asdict(begun)))
        except OSError:
            return

    def begun(self, name: str) -> Begun | None:
        """Return what a candidate of a killed run began with, None where it did not."""
        file = self.folder / BEGUN / f"{name}.json"
        if not file.exists():
            return None
        kept = json.loads(file.read_text())
        return Begun(**{**kept, "estimate": Estimate(**kept["estimate"])})

    def save(self, outcome: Outcome) -> Outcome:
        """Write an outcome, all or nothing; return it with its graph left on the disk."""
        plain = {field.name: getattr(outcome, field.name) for field in fields(outcome) if field.name not in APART} | {
            "curves": [asdict(curve) for curve in outcome.curves],
            "calibrations": {name: asdict(each) for name, each in outcome.calibrations.items()},
        }
        with whole_folder(self.folder / outcome.name) as draft:
            (draft / "outcome.json").write_text(json.dumps(plain, ensure_ascii=False, indent=1, default=dict))
            if outcome.answers is not None:
                np.save(draft / "answers.npy", outcome.answers)
            if outcome.graph is not None:
                write_graph(draft, outcome.graph)
        return replace(outcome, graph=read_graph(self.folder / outcome.name))

    def load(self, name: str) -> Outcome | None:
        """Return a saved outcome, or None."""
        folder = self.folder / name
        if not (folder / "outcome.json").exists():
            return None
        plain = json.loads((folder / "outcome.json").read_text())
        curves = tuple(
            Curve(curve["name"], tuple(curve["train"]), tuple(curve["valid"])) for curve in plain.pop("curves")
        )
        answers = np.load(folder / "answers.npy") if (folder / "answers.npy").exists() else None
        calibrations = {
            name: Temperature(**{**each, "bias": None if each["bias"] is None else tuple(each["bias"])})
            for name, each in plain.pop("calibrations").items()
        }
        outcome = replace(Outcome(**plain), curves=curves, calibrations=calibrations)
        return replace(outcome, answers=answers, graph=read_graph(folder))

    def forget(self, *statuses: str) -> None:
        """Let candidates that ended so take their turn again; a tournament that went to its end stays as it is."""
        if self.has_ended:
            return
        for file in self.folder.glob("*/outcome.json"):
            if json.loads(file.read_text())["status"] in statuses:
                (self.folder / BEGUN / f"{file.parent.name}.json").unlink(missing_ok=True)
                shutil.rmtree(file.parent)

    def save_end(self, tournament: Tournament) -> Tournament:
        """Write how the tournament ended, with the graph that ships; return it with the graphs left on the disk."""
        outcomes = tuple(self.save(outcome) for outcome in tournament.outcomes)
        with whole_folder(self.folder / SHIPPED) as draft:
            write_graph(draft, tournament.graph)
            np.save(draft / "expected.npy", tournament.expected)
            np.save(draft / "answers.npy", tournament.answers)
            end = {
                "winner": tournament.winner,
                "metric": tournament.metric,
                "refitted": tournament.refitted,
                "outcomes": [outcome.name for outcome in tournament.outcomes],
            }
            (draft / "tournament.json").write_text(json.dumps(end))
        graph = read_graph(self.folder / SHIPPED)
        assert graph is not None
        return replace(tournament, outcomes=outcomes, graph=graph)

    @property
    def has_ended(self) -> bool:
        """Tell whether a tournament went to its end here."""
        return (self.folder / SHIPPED / MODEL).exists()

    def load_end(self) -> Tournament | None:
        """Return a tournament that went to its end, or None."""
        folder = self.folder / SHIPPED
        graph = read_graph(folder)
        if graph is None:
            return None
        end = json.loads((folder / "tournament.json").read_text())
        kept = [self.load(name) for name in end["outcomes"]]
        return Tournament(
            tuple(outcome for outcome in kept if outcome is not None),
            end["winner"],
            graph,
            end["metric"],
            end["refitted"],
            np.load(folder / "answers.npy"),
            np.load(folder / "expected.npy"),
        )


def write_graph(folder: Path, graph: Graph) -> None:
    """Write the parts of a graph into a folder."""
    if isinstance(graph.model, Path):
        _link(graph.model, folder / MODEL)
    else:
        (folder / MODEL).write_bytes(graph.model)
    (folder / "feeds.json").write_text(feeds_to_json(graph.feeds), encoding="utf-8")
    for name, content in graph.files.items():
        (folder / "files").mkdir(exist_ok=True)
        (folder / "files" / name).write_bytes(content)


def read_graph(folder: Path) -> Graph | None:
    """Return the graph kept in a folder, its model left there, or None."""
    if not (folder / MODEL).exists():
        return None
    feeds = feeds_from_json((folder / "feeds.json").read_text(encoding="utf-8"))
    files: Mapping[str, bytes] = {
        path.name: path.read_bytes() for path in sorted(folder.glob("files/*")) if path.is_file()
    }
    return Graph(folder / MODEL, feeds, files)


def _link(source: Path, target: Path) -> None:
    """Give a file a second place without writing its bytes again, where the disk can do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
