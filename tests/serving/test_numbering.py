from headway.serving.numbering import Numbering


def test_all_workers_give_a_version_the_same_number_and_one_that_starts_later_knows_the_past(tmp_path):
    first, second = (Numbering(tmp_path / "numbers.jsonl") for _ in range(2))
    assert first.of("reviews", "a") == 0
    assert second.of("spam", "x\n\u2028") == 1
    assert first.of("reviews", "b") == 2
    assert second.of("reviews", "a") == 0
    later = Numbering(tmp_path / "numbers.jsonl")
    assert later.of("reviews", "b") == 2
    assert later.all() == first.all() == {0: ("reviews", "a"), 1: ("spam", "x\n\u2028"), 2: ("reviews", "b")}


def test_without_a_file_they_are_the_process_s_own():
    assert Numbering().all() == {}
    numbers = Numbering()
    assert [numbers.of("m", version) for version in "aba"] == [0, 1, 0]
