import numpy as np

from headway.training.footprints import Footprints
from headway.training.outcome import Outcome
from headway.training.state import State
from headway.training.storage import Store
from tests.training.families import NO_HURRY, contest, room


def outcome(name, accuracy, **options):
    return Outcome(name, "ok", metrics={"accuracy": accuracy}, answers=np.zeros((600, 2)), **options)


def test_an_ensemble_that_has_joined_leads_its_members(tmp_path):
    arena = contest()
    with Footprints(arena) as footprints:
        state = State(arena, room(), NO_HURRY, Store(tmp_path), print, footprints)
        state.outcomes = {one.name: one for one in (outcome("linear", 0.8), outcome("trees", 0.81))}
        assert state.best.name == "trees"
        state.outcomes["ensemble"] = outcome("ensemble", 0.805, members={"linear": 0.5, "trees": 0.5})
        assert state.best.name == "ensemble"
