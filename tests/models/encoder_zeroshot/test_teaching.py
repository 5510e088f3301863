import numpy as np

from headway.models.encoder_zeroshot import teaching
from headway.models.encoder_zeroshot.teaching import teach
from headway.models.pseudo import smoothed, unit


def clouds(rows=60, labels=4, width=16, seed=0, noise=0.15):
    """Texts around the directions of the labels, which their words only hint at."""
    generator = np.random.default_rng(seed)
    directions = unit(generator.normal(size=(labels, width)))
    y = np.arange(rows) % labels
    texts = unit(directions[y] + noise * generator.normal(size=(rows, width)))
    words = unit(directions + 0.35 * generator.normal(size=(labels, width)))
    return texts, words, y


def test_the_teacher_is_better_than_the_words_alone():
    right = {"words": 0, "teacher": 0}
    for seed in range(8):
        texts, words, y = clouds(seed=seed)
        right["words"] += int(((texts @ words.T).argmax(1) == y).sum())
        right["teacher"] += int((teach(texts, words, balance=0.7).shares.argmax(1) == y).sum())
    assert right["teacher"] > right["words"] + 20


def test_many_texts_a_label_are_smoothed_by_the_neighbours_of_their_neighbours(monkeypatch):
    def right(rows):
        total = 0
        for seed in range(6):
            texts, words, y = clouds(rows, seed=seed, noise=0.45)
            total += int((teach(texts, words, balance=0.7).shares.argmax(1) == y).sum())
        return total

    few, many = right(200), right(600)
    monkeypatch.setattr(teaching, "MANY", np.inf)
    assert right(200) == few
    assert right(600) < many


def test_few_and_equal_rows_stay_finite():
    for rows in (1, 2, 5):
        texts = np.tile(unit(np.ones((1, 8))), (rows, 1))
        lesson = teach(texts, unit(np.eye(3, 8)), balance=0.7)
        assert np.isfinite(lesson.shares).all()
        assert np.isfinite(smoothed(texts)).all()
