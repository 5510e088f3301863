import pytest

from headway.compute.drafts import whole_file, whole_folder


def test_a_folder_appears_only_when_it_is_whole(tmp_path):
    target = tmp_path / "kept"
    with whole_folder(target) as draft:
        (draft / "a").write_text("new")
        assert not target.exists()
    assert (target / "a").read_text() == "new"


def test_a_failure_leaves_the_old_folder(tmp_path):
    target = tmp_path / "kept"
    target.mkdir()
    (target / "a").write_text("old")

    def write_half() -> None:
        with whole_folder(target) as draft:
            (draft / "a").write_text("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert (target / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_could_not_be_written_leaves_nothing(tmp_path):
    def write_half() -> None:
        with whole_file(tmp_path / "a.npz") as draft:
            draft.write_text("x")
            raise OSError

    with pytest.raises(OSError):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_a_file_keeps_its_suffix_while_it_is_a_draft(tmp_path):
    with whole_file(tmp_path / "a.npz") as draft:
        assert draft.suffix == ".npz"
        draft.write_text("x")
    assert (tmp_path / "a.npz").read_text() == "x"
