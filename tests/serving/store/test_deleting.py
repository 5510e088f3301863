from headway.serving.store.alarms import Alarm, keep_alarm, read_alarms
from headway.serving.store.deleting import forget_subject, prune
from headway.serving.store.reading import read_answered, read_stored
from headway.serving.store.recorder import Keeping, Recorder


def test_a_person_is_forgotten_with_all_feedback(store, served, told):
    Recorder(store)([served(1, user="ann"), served(2, user="bob"), served(3, user="ann"), told(1), told(2)])
    deleted = forget_subject(store, "ann")
    assert (deleted.predictions, deleted.feedback) == (2, 1)
    assert [each.request_id for each in read_answered(store)] == ["r2"]
    assert read_stored(store).feedback == 1
    assert forget_subject(store, "nobody").predictions == 0


def test_nothing_of_it_stays_in_the_files(tmp_path, served):
    from headway.serving.store.opening import open_store

    store = open_store(f"sqlite:///{tmp_path}/store.db")
    Recorder(store)([served(1, text="一段很特别的话abcdefgh", user="ann")])
    forget_subject(store, "ann")
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"abcdefgh" not in content


def test_old_rows_go(store, served, told):
    Recorder(store)([served(1, at=100.0), served(2, at=200.0), told(1, at=100.0), told(2, at=200.0)])
    keep_alarm(store, Alarm("drift", "reviews", "old", at=100.0))
    deleted = prune(store, before=150.0)
    assert (deleted.predictions, deleted.feedback, deleted.alarms) == (1, 1, 1)
    assert [each.request_id for each in read_answered(store)] == ["r2"]
    assert read_alarms(store) == []


def test_a_person_is_forgotten_where_the_requests_were_not_kept(store, told):
    Recorder(store, Keeping(0.0))([told(1, user="ann", note="我是李雷"), told(2, user="bob"), told(3)])
    assert forget_subject(store, "ann").feedback == 1
    assert read_stored(store).feedback == 2
