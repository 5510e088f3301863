import numpy as np

from headway.tasks import Classify, Part, Regress, Several

TASK = Several((Part("topic", Classify(("a", "b", "c")), "accuracy"), Part("price", Regress(), "r2")))
Y = np.array([[0, 1.5], [np.nan, 2.5], [2, np.nan]], np.float32)


def test_the_answers_of_the_parts_stand_side_by_side():
    assert TASK.width == 4
    assert TASK.spans == (slice(0, 3), slice(3, 4))
    assert TASK.outputs == {"probabilities:topic": 3, "values:price": 1}
    answers = np.arange(8).reshape(2, 4)
    assert TASK.answers(answers, 0).tolist() == [[0, 1, 2], [4, 5, 6]]
    assert TASK.answers(answers, 1).tolist() == [3, 7]


def test_a_part_knows_the_rows_that_have_its_target():
    rows, topics = TASK.known(Y, 0)
    assert rows.tolist() == [0, 2]
    assert topics.tolist() == [0, 2]
    assert topics.dtype == np.int64
    rows, prices = TASK.known(Y, 1)
    assert rows.tolist() == [0, 1]
    assert prices.dtype == np.float32
