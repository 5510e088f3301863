import numpy as np

from headway.evaluation.drift import reference_from_json, reference_to_json
from headway.evaluation.drift.building import TargetAnswers, build_reference
from headway.evaluation.drift.vectors import picture_vectors, text_vectors


def test_no_row_is_kept(reference, draw):
    make_rows, _ = draw
    rows = make_rows(np.random.default_rng(0), 2000)
    written = reference_to_json(reference).decode()
    assert not any(text in written for text in rows["review"] if len(text) > 8)
    assert len(written) < 60_000


def test_rare_values_have_no_name_in_it():
    values = ["common"] * 200 + [f"person {number}" for number in range(40)]
    answers = {"": TargetAnswers("regress", [1.0] * 50, None, [1.5] * 50)}
    built = build_reference({"c": values}, {"c": "category"}, answers=answers, seed=0)
    assert "person" not in reference_to_json(built).decode()


def test_the_same_seed_builds_the_same(draw):
    make_rows, _ = draw
    rows = make_rows(np.random.default_rng(3), 300)

    def build():
        answers = {"": TargetAnswers("regress", rows["price"], None, rows["price"])}
        return build_reference(rows, {"review": "text", "price": "number"}, answers=answers, seed=5)

    assert reference_to_json(build()) == reference_to_json(build())


def test_empty_and_constant_columns_are_no_trouble():
    built = build_reference(
        {"a": [None] * 60, "b": [1.0] * 60, "t": [""] * 60}, {"a": "number", "b": "number", "t": "text"},
        answers={"": TargetAnswers("classify", ["x"] * 20, [1.0] * 20, ["x"] * 20)}, seed=0,
    )  # fmt: skip
    assert all(sum(view.counts) > 0 for view in built.views)


def test_each_of_several_targets_has_views_of_its_own_and_rows_without_a_truth_are_no_mistakes():
    answers = {
        "mood": TargetAnswers("classify", ["a", "b"] * 20, [0.9] * 40, ["a", None] * 20),
        "price": TargetAnswers("regress", [1.0, 2.0] * 20, None, [None, 2.5] * 20),
        "rare": TargetAnswers("regress", [1.0, 2.0] * 20, None, [None] * 40),
    }
    built = build_reference({"b": [1.0] * 60}, {"b": "number"}, answers=answers, seed=0)
    assert built.task == "several"
    assert built.targets == ("mood", "price", "rare")
    rows = {view.key: sum(view.counts) for view in built.views}
    assert rows == {
        ("b", "range"): 60, ("mood", "answer"): 40, ("mood", "mistakes"): 20, ("mood", "confidence"): 40,
        ("price", "answer"): 40, ("price", "mistakes"): 20, ("rare", "answer"): 40, ("rare", "mistakes"): 0,
    }  # fmt: skip
    assert built.of("mood", "mistakes")[0].counts == (20, 0)
    assert reference_from_json(reference_to_json(built)).views == built.views


def test_similar_texts_are_near_and_pictures_are_seen_by_shape():
    same, near, far = text_vectors(["房间很大很干净", "房间很大不干净", "good phone"])
    assert same @ near > same @ far
    left, right = np.zeros((2, 32, 32), np.float32)
    left[:, :16] = right[:, 16:] = 1
    vectors = picture_vectors(np.stack([left, right]))
    assert vectors[0] @ vectors[1] < 0
