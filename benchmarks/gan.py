"""Drawing digits: `headway run` with `task: generate` beside the recipe of PyTorch's DCGAN tutorial, in the same time.

Both learn from the same 10,000 digits. The judge is the classifier that Headway trained in its run; it looks at as many
pictures of both, and at the standard test digits, which neither has seen.

`HEADWAY_GAN_KEEP` names a folder in which each side is kept as soon as it has ended: run again with the same folder,
the benchmark goes on from there.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.images import prepare_mnist
from benchmarks.shared import HERE, Spent, call, print_table, run_headway

# Minutes that each side has; what Headway spends on reading and on its judge is not given to the peer.
MINUTES = float(os.environ.get("HEADWAY_GAN_MINUTES", "10"))
# Pictures that are judged of each side.
DRAWN = 10_000


def main() -> str:
    """Run both and return the table."""
    kept = os.environ.get("HEADWAY_GAN_KEEP")
    if kept is not None:
        Path(kept).mkdir(parents=True, exist_ok=True)
        return compete(Path(kept).resolve())
    with tempfile.TemporaryDirectory() as name:
        return compete(Path(name))


def compete(folder: Path) -> str:
    """Train both, draw, and judge all with the same classifier."""
    if not (folder / "test").exists():
        prepare_mnist(folder)
    pixels = {part: read_pictures(folder / part) for part in ("train", "test")}
    drawn, peer = run_peer(folder, pixels["train"])
    run, ours = run_ours(folder)
    rows = judge(run, pixels, np.load(drawn))
    spent = {"Headway gan": ours, "DCGAN tutorial": peer}
    table = [(*row, *_costs(spent.get(row[0]))) for row in rows]
    header = (
        "pictures", "Frechet distance", "of the peer's", "precision", "recall", "classes in effect", "seconds", "MB"
    )  # fmt: skip
    title = f"MNIST, 10,000 digits to learn from, {MINUTES:g} minutes each"
    steps = peer.printed.strip().splitlines()[-1]
    return print_table(title, header, table) + f"\nThe peer: {steps}.\n"


def run_peer(folder: Path, digits: np.ndarray) -> tuple[Path, Spent]:
    """Return the file of the peer's pictures and what they cost."""
    drawn, cost = folder / "dcgan.npy", folder / "dcgan.json"
    if not cost.exists():
        np.save(folder / "train.npy", digits)
        script = HERE / "peers" / "dcgan.py"
        spent = call(sys.executable, script, folder / "train.npy", drawn, f"{MINUTES * 60:g}", str(DRAWN))
        cost.write_text(json.dumps(asdict(spent)))
    return drawn, Spent(**json.loads(cost.read_text()))


def run_ours(folder: Path) -> tuple[Path, Spent]:
    """Return the run folder of Headway and what it cost."""
    cost = folder / "headway.json"
    if not cost.exists():
        project = f"name: digits\ndata: train\ntest: test\ntask: generate\nbudget: {{time: {MINUTES * 60:g}s}}\n"
        ran = run_headway(project, folder)
        cost.write_text(json.dumps({"folder": str(ran.folder), "spent": asdict(ran.spent)}))
    kept = json.loads(cost.read_text())
    return Path(kept["folder"]), Spent(**kept["spent"])


def _costs(spent: Spent | None) -> tuple[str, str]:
    return ("", "") if spent is None else (f"{spent.seconds:.0f}", f"{spent.peak_mb:.0f}")


def judge(run: Path, pixels: dict[str, np.ndarray], theirs: np.ndarray) -> list[tuple[str, ...]]:
    """Return a line for each set of pictures: distances from the test digits, precision and recall."""
    from headway.evaluation.pictures.frechet import frechet_distance
    from headway.evaluation.pictures.judge import Judge
    from headway.evaluation.pictures.manifold import precision_recall
    from headway.evaluation.pictures.variety import classes_in_effect
    from headway.runtime import load_image_generator

    eyes = Judge((run / "candidates" / "gan" / "judge.onnx").read_bytes(), by_groups=False, accuracy=0.0)
    ours = load_image_generator(run / "package").generate(DRAWN, seed=7)
    real = eyes.look(pixels["test"])
    sets = {"Headway gan": ours, "DCGAN tutorial": theirs, "real digits": pixels["train"]}
    views = {name: eyes.look(each) for name, each in sets.items()}
    distances = {name: frechet_distance(seen.features, real.features) for name, seen in views.items()}
    rows = []
    for name, seen in views.items():
        precision, recall = precision_recall(real.features, seen.features, seed=0)
        rows.append((name, f"{distances[name]:.3f}", f"{distances[name] / distances['DCGAN tutorial']:.2f}x",
                     f"{precision:.3f}", f"{recall:.3f}", f"{classes_in_effect(seen):.2f}"))  # fmt: skip
    return rows


def read_pictures(folder: Path) -> np.ndarray:
    """Return the pictures of a folder of classes, uint8 `[n, 28, 28, 1]`."""
    return np.stack([np.asarray(Image.open(path).convert("L")) for path in sorted(folder.rglob("*.png"))])[..., None]
