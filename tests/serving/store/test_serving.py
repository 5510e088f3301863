from headway.serving.observing import Opened
from headway.serving.store.serving import GONE_AFTER, read_serving, tell_serving


def test_what_servers_answer_with_is_known_for_a_while(store):
    tell_serving(store, [Opened("reviews", "v1", "classify"), Opened("price", "v1", "regress")], at=1000.0)
    tell_serving(store, [Opened("reviews", "v2", "classify")], at=1000.0 + GONE_AFTER)
    found = read_serving(store, since=0.0)
    assert [(each.model, each.version, each.task) for each in found.values()] == [
        ("price", "v1", "regress"),
        ("reviews", "v2", "classify"),
    ]
    assert list(read_serving(store, since=1001.0)) == ["reviews"]
    assert read_serving(store) == {}


def test_what_packages_read_and_answer_is_known_too(store):
    tell_serving(store, [Opened("reviews", "v1", "classify", reads=("评论", "it's"), labels=("好", "bad, or so"))])
    found = read_serving(store)["reviews"]
    assert (found.reads, found.labels) == (("评论", "it's"), ("好", "bad, or so"))
    tell_serving(store, [Opened("reviews", "v1", "classify")])
    assert read_serving(store)["reviews"].reads == ()
