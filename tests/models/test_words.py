import pytest

from headway.errors import TrainingError
from headway.models.words import humanise, label_words
from headway.tasks import Classify


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("card_arrival", "card arrival"),
        ("cardArrival", "card Arrival"),
        ("财经", "财经"),
        ("top-up/failed", "top up failed"),
    ],
)
def test_labels_become_words(label, words):
    assert humanise(label) == words


def test_a_description_takes_the_place_of_a_name():
    task = Classify(("good", "bad"), descriptions={"bad": "the guest complains"})
    assert label_words(task) == ("good", "the guest complains")


@pytest.mark.parametrize("labels", [(0, 1), ("A", "B"), (False, True), ("1a", "财经")])
def test_labels_that_are_no_words_cannot_help(labels):
    with pytest.raises(TrainingError, match=r"no words") as caught:
        label_words(Classify(labels))
    assert "descriptions:" in caught.value.problems[0].fix


def test_numbers_with_descriptions_can():
    task = Classify((0, 1), descriptions={"0": "an unhappy guest", "1": "a happy guest"})
    assert label_words(task) == ("an unhappy guest", "a happy guest")
