import os

from headway.serving.leavings import PREFIX, hold, remove_leavings


def test_only_what_nobody_holds_is_removed(tmp_path):
    for name in ("held", "left"):
        (tmp_path / f"{PREFIX}{name}").mkdir()
        (tmp_path / f"{PREFIX}{name}" / "a.headway").touch()
        (tmp_path / f"{PREFIX}{name}-board").touch()
    (tmp_path / "headway-other").mkdir()
    handles = [hold(tmp_path / f"{PREFIX}held"), hold(tmp_path / f"{PREFIX}held-board")]
    remove_leavings(tmp_path)
    assert len(list(tmp_path.iterdir())) == 5  # young ones may be about to be held
    remove_leavings(tmp_path, young=0)
    assert {path.name for path in tmp_path.iterdir()} == {f"{PREFIX}held", f"{PREFIX}held-board", "headway-other"}
    for handle in handles:
        os.close(handle)
    remove_leavings(tmp_path, young=0)
    assert [path.name for path in tmp_path.iterdir()] == ["headway-other"]
