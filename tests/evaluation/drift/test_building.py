import numpy as np

from headway.evaluation.drift import reference_to_json
from headway.evaluation.drift.building import build_reference
from headway.evaluation.drift.vectors import picture_vectors, text_vectors


def test_no_row_is_kept(reference, draw):
    make_rows, _ = draw
    rows = make_rows(np.random.default_rng(0), 2000)
    written = reference_to_json(reference).decode()
    assert not any(text in written for text in rows["review"] if len(text) > 8)
    assert len(written) < 60_000


def test_rare_values_have_no_name_in_it():
    values = ["common"] * 200 + [f"person {number}" for number in range(40)]
    built = build_reference({"c": values}, {"c": "category"}, task="regress", predictions=[1.0] * 50, confidence=None,
                            truths=[1.5] * 50, seed=0)  # fmt: skip
    assert "person" not in reference_to_json(built).decode()


def test_the_same_seed_builds_the_same(draw):
    make_rows, _ = draw
    rows = make_rows(np.random.default_rng(3), 300)

    def build():
        return build_reference(rows, {"review": "text", "price": "number"}, task="regress",
                               predictions=rows["price"], confidence=None, truths=rows["price"], seed=5)  # fmt: skip

    assert reference_to_json(build()) == reference_to_json(build())


def test_empty_and_constant_columns_are_no_trouble():
    built = build_reference(
        {"a": [None] * 60, "b": [1.0] * 60, "t": [""] * 60}, {"a": "number", "b": "number", "t": "text"},
        task="classify", predictions=["x"] * 20, confidence=[1.0] * 20, truths=["x"] * 20, seed=0,
    )  # fmt: skip
    assert all(sum(view.counts) > 0 for view in built.views)


def test_similar_texts_are_near_and_pictures_are_seen_by_shape():
    same, near, far = text_vectors(["房间很大很干净", "房间很大不干净", "good phone"])
    assert same @ near > same @ far
    left, right = np.zeros((2, 32, 32), np.float32)
    left[:, :16] = right[:, 16:] = 1
    vectors = picture_vectors(np.stack([left, right]))
    assert vectors[0] @ vectors[1] < 0
