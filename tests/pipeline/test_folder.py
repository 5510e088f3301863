import errno
import os
from pathlib import Path

from headway.pipeline.folder import SCRATCH, STATE, RunFolder


def test_time_is_counted_up_to_the_last_checkpoint(tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.seconds_used == 0.0
    folder.note_seconds(5.0)
    assert folder.seconds_used == 5.0
    noted = (tmp_path / STATE).stat().st_mtime
    (tmp_path / SCRATCH).mkdir()
    for name, later in {"gpt.pt": 20, "older.pt": -30, ".17.gpt.pt": 33}.items():
        file = tmp_path / SCRATCH / name
        file.write_bytes(b"")
        os.utime(file, (noted + later, noted + later))
    assert abs(folder.seconds_used - 25.0) < 0.01  # the draft that was under way is lost, and its time with it
    folder.note_seconds(27.0)
    os.utime(tmp_path / STATE, (noted + 22, noted + 22))
    assert folder.seconds_used == 27.0


def test_a_full_disk_leaves_the_last_note(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path)
    folder.note_seconds(5.0)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    folder.note_seconds(9.0)
    assert folder.seconds_used == 5.0
