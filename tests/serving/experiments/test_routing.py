from dataclasses import replace

import pytest

from headway.serving.experiments.plan import Arm, Experiment
from headway.serving.experiments.routing import Router, pick_arm, place
from headway.serving.observing import Choice, Opened

PLAN = Experiment("e", "reviews", (Arm("old", "reviews", 3.0), Arm("new", "candidate", 1.0)), started=1.0)
USERS = [f"user {number}" for number in range(4000)]


def test_without_an_experiment_the_model_answers_itself():
    assert Router().pick("reviews", "ann", "r1") == Choice("reviews")


def test_a_user_always_gets_the_same_arm():
    router = Router()
    router.update([PLAN])
    for user in USERS[:100]:
        choices = {router.pick("reviews", user, f"r{number}").key for number in range(5)}
        assert len(choices) == 1
    assert router.pick("reviews", "ann", "r").arm.startswith("e/")
    assert router.pick("other", "ann", "r") == Choice("other")


def test_arms_get_their_shares():
    new = sum(pick_arm(PLAN, user).name == "new" for user in USERS)
    assert new / len(USERS) == pytest.approx(0.25, abs=0.03)


def test_without_a_user_each_request_draws():
    router = Router()
    router.update([PLAN])
    assert {router.pick("reviews", None, f"r{number}").key for number in range(50)} == {"reviews", "candidate"}


def test_another_experiment_divides_anew():
    other = replace(PLAN, name="f")
    both = sum(pick_arm(PLAN, user).name == pick_arm(other, user).name for user in USERS)
    assert both / len(USERS) == pytest.approx(0.75**2 + 0.25**2, abs=0.03)


def test_an_ended_arm_gives_its_users_to_the_control_and_moves_nobody_else():
    three = replace(PLAN, arms=(*PLAN.arms, Arm("third", "third", 2.0)))
    router = Router()
    router.update([three])
    before = {user: pick_arm(three, user).name for user in USERS}
    router.end_arm("e", "new", "too slow")
    after = {user: router.pick("reviews", user, "r").arm for user in USERS}
    for user in USERS:
        wanted = "old" if before[user] == "new" else before[user]
        assert after[user] == f"e/{wanted}"
    router.update([three])  # the store does not know yet: the arm stays ended
    assert "new" in router.experiments["reviews"].ended_arms
    router.update([replace(three, stopped=5.0)])
    assert router.pick("reviews", "ann", "r") == Choice("reviews")


def test_shadows_answer_beside_the_chosen_arm():
    plan = replace(PLAN, arms=(PLAN.arms[0], Arm("dark", "candidate", shadow=True)))
    router = Router()
    router.update([plan])
    assert router.pick("reviews", "ann", "r") == Choice("reviews", "e/old", ("candidate",))
    router.end_arm("e", "dark", "broken")
    assert router.pick("reviews", "ann", "r").shadows == ()


def test_places_are_even_and_fixed():
    places = [place(f"x{number}") for number in range(2000)]
    assert 0.47 < sum(places) / 2000 < 0.53
    assert place("x") == place("x") == 0.9193310190301585 or 0 <= place("x") < 1


def test_an_arm_that_the_clients_cannot_ask_gets_no_traffic(caplog):
    dark = replace(PLAN, arms=(*PLAN.arms, Arm("dark", "listener", shadow=True)))
    router = Router()
    router.opened(Opened("reviews", "v1", "classify", reads=("review",)))
    router.opened(Opened("listener", "v1", "classify", reads=("review", "stars")))
    router.update([dark])
    assert {router.pick("reviews", user, "r").key for user in USERS[:99]} == {"reviews", "candidate"}
    assert router.pick("reviews", "ann", "r").shadows == ()
    router.opened(Opened("candidate", "v1", "classify", reads=("review", "city")))
    choices = [router.pick("reviews", user, "r") for user in USERS[:99]]
    assert {choice.key for choice in choices} == {"reviews"}
    assert {choice.arm for choice in choices} == {"e/old", None}  # those of the arm do not count
    router.update([dark])
    assert caplog.text.count("'city'") == caplog.text.count("'stars'") == 1  # told once
    router.opened(Opened("candidate", "v2", "classify", reads=("review",)))
    assert {router.pick("reviews", user, "r").key for user in USERS[:99]} == {"reviews", "candidate"}
