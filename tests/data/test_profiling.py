import json

import numpy as np
import pytest
from PIL import Image

from headway.data.cleaning import clean
from headway.data.inference import infer
from headway.data.profiling import count_rows, languages, profile
from headway.data.reading import read


def profile_csv(folder, text, target="label"):
    (folder / "data.csv").write_text(text, encoding="utf-8")
    table = read("data.csv", folder=folder)
    inference = infer(table, target)
    cleaned = clean(table, target=target, inputs=inference.inputs, task=inference.task)
    return profile(table, target=target, inference=inference, cleaned=cleaned), table, cleaned


ROWS = [
    f"{i},a short review about thing {i * 7919 % 1000} {i},{20 + i / 2},{'yes' if i % 3 else 'no'}" for i in range(60)
]
TABLE = "number,review,price,label\n" + "\n".join(ROWS) + "\n"


def test_every_column_gets_the_figures_of_its_modality(tmp_path):
    found, _, _ = profile_csv(tmp_path, TABLE)
    by_name = {column.name: column for column in found.columns}
    assert not by_name["number"].used
    assert "identifier" in by_name["number"].reason
    assert by_name["price"].range == ("20.0", "49.5")
    assert by_name["price"].quantiles["0.5"] == pytest.approx(34.75)
    assert by_name["review"].languages == {"en": 1.0}
    assert found.target.top == (("yes", 40), ("no", 20))
    assert found.classes == {"no": 20, "yes": 40}


def test_the_profile_is_plain_json(tmp_path):
    found, _, _ = profile_csv(tmp_path, TABLE)
    assert json.loads(json.dumps(found.as_json()))["target"]["distinct"] == 2


def test_labels_are_counted_without_the_blanks_around_them(tmp_path):
    found, _, _ = profile_csv(tmp_path, TABLE.replace(",yes\n", ", yes \n", 5))
    assert found.target.top == (("yes", 40), ("no", 20))
    assert found.target.distinct == 2


def test_the_counts_add_up(tmp_path):
    bad = TABLE + ROWS[0] + "\n" + ROWS[1].replace("yes", "no") + "\n60,no label,3,\n61,too,many,fields,here\n"
    found, table, cleaned = profile_csv(tmp_path, bad)
    counts = count_rows(table, cleaned)
    assert counts == {
        "read": 64,
        "rejected": 2,
        "duplicates": 1,
        "contradictions": 2,
        "rare": 0,
        "near_duplicates": counts["near_duplicates"],
        "left_out": 0,
        "used": 59,
    }
    assert (found.duplicates, found.contradictions, found.rejected) == (1, 2, 2)


def test_an_unbalanced_target_is_a_finding(tmp_path):
    lines = [f"word {i} and again {i * i},{'rare' if i % 30 == 0 else 'common'}" for i in range(90)]
    found, _, _ = profile_csv(tmp_path, "review,label\n" + "\n".join(lines) + "\n")
    assert "imbalance" in {finding.code for finding in found.findings}


def test_languages_are_told_by_script():
    texts = ["今天天气很好", "the weather is fine", "これはテストです", "iPhone 手机很好用，推荐", "12345"]
    assert languages(texts) == {"zh": 0.4, "en": 0.2, "other": 0.4}


def test_images_are_profiled_by_size(tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for i in range(3):
            pixels = np.random.default_rng(i + len(label) * (label == "cat")).integers(0, 255, (8, 9, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / label / f"{label}{i}.png")
    table = read("pets", folder=tmp_path)
    inference = infer(table, "label")
    cleaned = clean(table, target="label", inputs=inference.inputs, task="classify")
    found = profile(table, target="label", inference=inference, cleaned=cleaned)
    assert found.columns[0].sizes == (("9 x 8 RGB", 6),)
