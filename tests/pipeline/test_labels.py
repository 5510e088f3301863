import numpy as np
import polars as pl
import pytest

from headway.pipeline.events import Remark
from headway.pipeline.run import run
from headway.pipeline.storage import load_dataset, load_split
from headway.project import build

WRONG = 30


@pytest.fixture
def mislabelled(tmp_path):
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(600, 2)).round(3)
    label = np.where(numbers[:, 0] > 0, "yes", "no")
    sure = np.flatnonzero(np.abs(numbers[:, 0]) > 1)[:WRONG]
    label[sure] = np.where(label[sure] == "yes", "no", "yes")
    frame = pl.DataFrame({"first": numbers[:, 0], "second": numbers[:, 1], "label": label})
    frame.write_csv(tmp_path / "table.csv")
    return tmp_path, set(sure.tolist())


def make(folder, mode, events=None, model="linear"):
    project = build(
        data="table.csv", target="label", folder=folder, models=[model], cleaning={"label_errors": mode}, name="t"
    )
    return run(project, out=folder / "runs", listen=(events if events is not None else []).append)


def test_wrong_labels_are_reported_and_stay(mislabelled):
    folder, wrong = mislabelled
    done = make(folder, "report")
    found = set(pl.read_parquet(done.folder / "label_errors.parquet")["__row__"].to_list())
    trained = load_dataset(done.folder / "dataset").rows["__row__"].gather(load_split(done.folder / "split.npz").train)
    expected = wrong & set(trained.to_list())
    assert len(found & expected) >= 0.8 * len(expected)
    assert len(found - wrong) <= 3


@pytest.mark.slow
def test_a_model_that_knows_nothing_of_the_rows_doubts_no_label(mislabelled):
    folder, _ = mislabelled
    done = make(folder, "report", model="baseline")
    assert not (done.folder / "label_errors.parquet").exists()


def test_wrong_labels_are_dropped_from_training_only(mislabelled):
    folder, wrong = mislabelled
    events = []
    done = make(folder, "drop", events)
    split, dataset = load_split(done.folder / "judged_split.npz"), load_dataset(done.folder / "judged_dataset")
    kept = set(dataset.rows["__row__"].gather(split.train).to_list())
    tested = set(dataset.rows["__row__"].gather(split.test).to_list())
    assert len(kept & wrong) <= 3
    assert len(tested & wrong) > 0
    assert any("look wrong" in event.text for event in events if isinstance(event, Remark))
    changes = pl.read_parquet(done.folder / "changes.parquet")
    assert changes.filter(pl.col("step") == "label_error").height >= 15


@pytest.mark.slow
def test_wrong_labels_weigh_less(mislabelled):
    folder, wrong = mislabelled
    done = make(folder, "weight")
    dataset = load_dataset(done.folder / "judged_dataset")
    light = set(dataset.rows["__row__"].filter(pl.Series(dataset.weight < 1)).to_list())
    assert len(light & wrong) >= 15
