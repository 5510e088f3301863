from headway.serving.store.alarms import Alarm, keep_alarm, read_alarms


def test_alarms_come_back_the_latest_first(store):
    for at in (1.0, 2.0):
        keep_alarm(store, Alarm("drift", "评论", f"at {at}", {"p": 0.001}, at))
    assert [each.at for each in read_alarms(store)] == [2.0, 1.0]
    assert read_alarms(store, model="other") == []
    assert read_alarms(store, since=1.5)[0].details == {"p": 0.001}
