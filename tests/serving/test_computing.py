import numpy as np

from headway.serving.batching import Ticket, Wait
from headway.serving.computing import find_problems, group_by_length, make_compute
from headway.serving.pace import Pace, measure_pace
from headway.serving.refusals import RefusalError
from tests.serving.packages import open_tiny


def ticket(columns, items=1):
    return Ticket(columns, len(next(iter(columns.values()))), items, Wait(1, bool), 0.0, None)


def test_a_batch_answers_like_each_request_alone():
    model = open_tiny("texts")
    compute = make_compute(model, measure_pace(model))
    texts = ["好", "a" * 300, "bad room", "", "x" * 40]
    together = compute([ticket({"review": [text]}, len(text) + 1) for text in texts])
    for text, answers in zip(texts, together, strict=True):
        alone = compute([ticket({"review": [text]}, len(text) + 1)])[0]
        assert answers[0]["prediction"] == alone[0]["prediction"]
        np.testing.assert_allclose(
            list(answers[0]["probabilities"].values()), list(alone[0]["probabilities"].values()), atol=1e-5
        )


def test_sound_requests_are_answered_beside_bad_ones():
    compute = make_compute(open_tiny("mixed"), Pace(1, 1, 1, has_text=False, has_image=False))
    good = {"n": [1.0], "when": ["2026-01-31"], "city": ["Paris"]}
    bad = {"n": ["much"], "when": ["yesterday"], "city": [["x"]]}
    outcomes = compute([ticket(good), ticket(bad), ticket(good)])
    assert outcomes[0][0]["prediction"] is True
    assert outcomes[2] == outcomes[0]
    assert isinstance(outcomes[1], RefusalError)
    assert [problem.field for problem in outcomes[1].fields] == ["n", "when", "city"]


def test_all_problems_are_found_row_by_row():
    found = find_problems(open_tiny("numbers"), {"a": ["x", 1], "b": ["y", "z"]}, 2)
    assert [(problem.row, problem.field) for problem in found] == [(0, "a"), (0, "b"), (1, "b")]


def test_groups_are_cut_where_padding_costs_more_than_a_call():
    pace = Pace(0.001, 1e-5, 10, has_text=True, has_image=False)
    lengths = [10, 500, 12, 480, 11]
    groups = group_by_length([1] * 5, lengths, pace)
    assert [sorted(lengths[i] for i in group) for group in groups] == [[480, 500], [10, 11, 12]]
    cheap = Pace(1.0, 1e-5, 10, has_text=True, has_image=False)
    assert len(group_by_length([1] * 5, lengths, cheap)) == 1
    assert sorted(i for group in groups for i in group) == [0, 1, 2, 3, 4]
