import json

import numpy as np

from headway.serving.experiments.judging import DAY, Units, judge
from headway.serving.experiments.outcomes import Outcomes
from headway.serving.experiments.plan import Arm, Experiment
from headway.serving.experiments.wording import describe_report, tell_report

PLAN = Experiment("e", "m", (Arm("old", "m"), Arm("new", "n")), started=0.0, ended_arms={"new": "too slow"})


def make_report(lift):
    random = np.random.default_rng(0)
    rows = 4000
    units = Units(
        np.linspace(0, 10 * DAY, rows),
        np.arange(rows) % 2,
        (random.random(rows) < 0.7 + lift * (np.arange(rows) % 2)).astype(float),
        np.full(rows, np.nan),
    )
    return judge(PLAN, units, now=10 * DAY), Outcomes(units, 7)


def test_both_languages_say_it():
    judgement, outcomes = make_report(0.1)
    english = "\n".join(tell_report(PLAN, judgement, outcomes, now=10 * DAY, language="en"))
    chinese = "\n".join(tell_report(PLAN, judgement, outcomes, now=10 * DAY, language="zh"))
    assert "new is better than the control" in english
    assert "new 优于对照组" in chinese
    assert "7 more users" in english
    assert "too slow" in chinese
    assert "Not decided" in "\n".join(tell_report(PLAN, *make_report(0.0), now=10 * DAY, language="en"))


def test_json_holds_the_figures():
    judgement, outcomes = make_report(0.1)
    plain = json.loads(json.dumps(describe_report(PLAN, judgement, outcomes), allow_nan=False))
    assert plain["better"] == "new"
    assert plain["arms"][0]["difference"] is None
    assert plain["arms"][1]["interval"][0] > 0
    assert plain["waiting_users"] == 7
