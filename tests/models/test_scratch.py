from headway.models.encoder_finetune.choosing import Choice
from headway.models.family import Support
from headway.models.scratch import remembered, scratch_of


def test_a_choice_is_remembered(tmp_path):
    path = tmp_path / "fit" / "choice.json"
    first = remembered(path, Choice, lambda: Choice("lora", 3, 512, recompute=True))
    assert remembered(path, Choice, lambda: Choice("layers", 1)) == first


def test_the_folder_of_the_run_stays_and_another_does_not(tmp_path):
    with scratch_of(Support(scratch=tmp_path / "run")) as kept, scratch_of(Support()) as passing:
        (kept / "a").touch()
        (passing / "a").touch()
    assert kept == tmp_path / "run"
    assert (kept / "a").exists()
    assert not passing.exists()
