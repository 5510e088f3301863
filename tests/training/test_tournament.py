import errno
import os
import time
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.errors import BudgetError, TrainingError
from headway.models.family import discover
from headway.package.opening import open_graph
from headway.package.parity import check_parity
from headway.report.translation import translate
from headway.tasks.recipe import Recipe
from headway.training import tournament
from headway.training.entrants import Entrant, list_entries
from headway.training.events import BestSoFar, CandidateFinished, Remark, Unkept
from headway.training.refit import refit_seconds
from headway.training.storage import Store
from headway.training.tournament import compete, tiers
from headway.training.trial import columns_of
from tests.training.families import INPUTS, NO_HURRY, Logistic, Sees, contest, room

FIRST, SECOND, BOTH, NOTHING = (2.0, 0.0), (0.0, 2.0), (2.0, 2.0), (0.0, 0.0)


def hold(tmp_path, families, *, arena=None, clock=NO_HURRY, events=None, models=None):
    registry = room(**families)
    entries = list_entries(registry, inputs=INPUTS, task="classify", models=models, recipe=Recipe())
    told = [] if events is None else events
    return compete(
        entries, registry, arena or contest(), clock=clock, store=Store(tmp_path / "candidates"), listen=told.append
    )


def statuses(tournament):
    return {outcome.name: outcome.status for outcome in tournament.outcomes}


def test_the_best_candidate_wins_and_is_refitted_on_all_rows(tmp_path):
    best = Sees(BOTH)
    families = {"baseline": Sees(NOTHING), "weak": Sees((-2.0, 0.0)), "strong": best}
    found = hold(tmp_path, families, arena=contest(rows=2000))
    assert found.winner == "strong"
    assert best.fits == [1000, 2000]
    assert found.refitted


def test_a_self_tuning_candidate_chooses_once_and_its_fit_on_all_rows_ships(tmp_path):
    tuning = Sees(BOTH)
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "tuning": tuning}, arena=contest(folds=5))
    assert found.winner == "tuning"
    assert found.refitted
    assert tuning.fits == [600, 480, 480, 480, 480, 480]
    assert tuning.replayed == [False, True, True, True, True, True]


def test_a_refit_is_not_expected_to_search_again(tmp_path):
    searching = Sees(BOTH, wait=lambda: time.sleep(0.2), searches=0.15)
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "searching": searching})
    outcome = next(each for each in found.outcomes if each.name == "searching")
    assert outcome.tuning_seconds == pytest.approx(0.15, abs=0.05)
    again = replace(outcome, tuning_seconds=0.0)
    assert refit_seconds(again, contest(), {}) - refit_seconds(outcome, contest(), {}) > outcome.tuning_seconds


@pytest.mark.parametrize(("rows", "starts"), [(18, True), (200, False)])
def test_a_candidate_for_few_rows_stays_out_where_there_are_many(tmp_path, rows, starts):
    few = Sees(BOTH)
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "few": few}, arena=contest(rows, folds=3))
    assert bool(few.fits) is starts
    if not starts:
        (outcome,) = [outcome for outcome in found.outcomes if outcome.name == "few"]
        assert outcome.status == "skipped"
        assert outcome.reason == "made for up to 9 rows a label; here a usual label has 100"


def test_a_candidate_for_few_rows_starts_where_the_user_named_it(tmp_path):
    few = Sees(BOTH)
    asked = {name: Recipe() for name in ("baseline", "few")}
    hold(tmp_path, {"baseline": Sees(NOTHING), "few": few}, arena=contest(200, folds=3), models=asked)
    assert few.fits


def test_a_single_holdout_tunes_on_its_validation_part(tmp_path):
    tuning = Sees(BOTH)
    hold(tmp_path, {"baseline": Sees(NOTHING), "tuning": tuning})
    assert tuning.fits == [300, 600]
    assert tuning.replayed == [False, True]


def test_no_heavy_candidate_starts_once_little_data_has_told_what_it_can(tmp_path):
    families = {"baseline": Sees(NOTHING), "one": Sees(BOTH), "other": Sees(BOTH, seconds=1), "third": Sees(BOTH, 9)}
    heavy = Sees(BOTH, seconds=50)
    found = hold(tmp_path, families | {"heavy": heavy}, arena=contest(folds=5))
    assert heavy.fits == []
    (outcome,) = [outcome for outcome in found.outcomes if outcome.name == "heavy"]
    assert outcome.status == "skipped"
    assert outcome.reason == "not tried: on 600 rows third added nothing beyond noise, nor will this one"


def test_the_order_of_candidates_does_not_decide_whether_a_heavy_one_starts(tmp_path):
    families = {"baseline": Sees(NOTHING), "one": Sees(FIRST), "other": Sees(FIRST, seconds=1), "third": Sees(BOTH, 9)}
    late, early = Sees(BOTH, seconds=50), Sees(BOTH, seconds=50)
    hold(tmp_path / "late", families | {"heavy": late}, arena=contest(folds=5))
    turned = {"one": families["third"], "other": families["one"], "third": families["other"]}
    hold(tmp_path / "early", families | turned | {"heavy": early}, arena=contest(folds=5))
    assert bool(late.fits) is bool(early.fits)


def test_a_heavy_candidate_starts_where_the_others_are_clearly_weaker_or_the_user_named_it(tmp_path):
    late = {"baseline": Sees(NOTHING), "one": Sees(NOTHING), "other": Sees(FIRST, seconds=1), "third": Sees(BOTH, 9)}
    heavy = Sees(BOTH, seconds=50)
    hold(tmp_path / "late", late | {"heavy": heavy}, arena=contest(folds=5))
    assert len(heavy.fits) >= 5
    level = {"baseline": Sees(NOTHING), "one": Sees(BOTH), "other": Sees(BOTH, seconds=1), "third": Sees(BOTH, 9)}
    named = Sees(BOTH, seconds=50)
    asked = {name: Recipe() for name in [*level, "heavy"]}
    hold(tmp_path / "named", level | {"heavy": named}, arena=contest(folds=5), models=asked)
    assert len(named.fits) >= 5


def test_a_pretrained_candidate_starts_though_the_rows_have_told_what_they_can(tmp_path):
    level = {"baseline": Sees(NOTHING), "one": Sees(BOTH), "other": Sees(BOTH, seconds=1), "third": Sees(BOTH, 9)}
    pretrained = Sees(BOTH, seconds=50)
    hold(tmp_path, level | {"heavy_pretrained": pretrained}, arena=contest(folds=5))
    assert len(pretrained.fits) >= 5


def test_every_finished_candidate_has_its_memory_in_the_end(tmp_path):
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "strong": Sees(BOTH)})
    assert all(20 < outcome.memory_mb < 400 for outcome in found.outcomes)
    kept = Store(tmp_path / "candidates").load("strong")
    assert kept.memory_mb == next(outcome.memory_mb for outcome in found.outcomes if outcome.name == "strong")


def test_candidates_start_cheapest_first(tmp_path):
    events = []
    families = {"baseline": Sees(NOTHING, seconds=9), "a": Sees(FIRST, seconds=5), "b": Sees(BOTH, seconds=0.2)}
    hold(tmp_path, families, events=events)
    assert [event.name for event in events if isinstance(event, CandidateFinished)][:3] == ["baseline", "b", "a"]


def test_a_crash_is_listed_with_its_reason_and_the_run_goes_on(tmp_path):
    broken = Sees(BOTH, breaks=ValueError("the solver gave up"))
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "broken": broken, "weak": Sees(FIRST)})
    (outcome,) = [outcome for outcome in found.outcomes if outcome.name == "broken"]
    assert outcome.status == "failed"
    assert outcome.reason == "ValueError: the solver gave up"
    assert found.winner == "weak"


def test_an_export_that_disagrees_with_the_model_does_not_win(tmp_path):
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "liar": Sees(BOTH, lie=0.5), "weak": Sees(FIRST)})
    assert statuses(found)["liar"] == "failed"
    assert found.winner == "weak"


def test_a_candidate_that_does_not_fit_the_time_left_never_starts(tmp_path):
    late = Sees(BOTH, seconds=1000)
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "late": late, "weak": Sees(FIRST)}, clock=Clock.after(30))
    assert statuses(found)["late"] == "skipped"
    assert late.fits == []
    assert found.winner == "weak"


def test_an_elastic_candidate_may_start_on_less_time_than_it_wants(tmp_path):
    elastic = Sees(BOTH, seconds=50)
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "elastic": elastic}, clock=Clock.after(30))
    assert found.winner == "elastic"


def test_a_candidate_over_the_memory_budget_never_starts(tmp_path):
    large = Sees(BOTH, memory_mb=1e6)
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "large": large}, arena=contest(memory_mb=8000))
    assert statuses(found)["large"] == "skipped"
    assert large.fits == []


def test_a_budget_for_the_baseline_alone_says_so(tmp_path):
    events = []
    families = {"baseline": Sees(NOTHING), "late": Sees(BOTH, seconds=1000)}
    found = hold(tmp_path, families, clock=Clock.after(20), events=events)
    assert found.winner == "baseline"
    assert any("only the baseline" in event.text for event in events if isinstance(event, Remark))


def test_limits_hold_for_what_ships(tmp_path):
    arena = contest(limits={"size_mb": 1e-9})
    with pytest.raises(BudgetError) as caught:
        hold(tmp_path, {"baseline": Sees(NOTHING), "strong": Sees(BOTH)}, arena=arena)
    assert "size_mb" in str(caught.value)
    assert "strong" in str(caught.value)


def test_a_clear_loser_of_a_cross_validation_is_dropped_after_its_first_folds(tmp_path):
    loser = Sees((-2.0, -2.0), seconds=1)
    families = {"baseline": Sees(NOTHING), "strong": Sees(BOTH, seconds=0.2), "worse": loser}
    found = hold(tmp_path, families, arena=contest(folds=5))
    assert statuses(found)["worse"] == "dropped"
    assert len(loser.fits) < 5


def test_an_ensemble_joins_where_it_gains_more_than_noise(tmp_path):
    families = {"baseline": Sees(NOTHING), "one": Sees(FIRST), "two": Sees(SECOND)}
    found = hold(tmp_path, families, arena=contest(rows=4000))
    assert found.winner == "ensemble"
    arena = contest(rows=4000)
    answers = open_graph(found.graph).run(columns_of(arena.examples.rows[arena.valid[: len(found.expected)]]))
    assert np.allclose(answers, found.expected, atol=1e-4)


def test_a_row_takes_a_mixture_what_it_takes_its_members(tmp_path):
    families = {"baseline": Sees(NOTHING), "one": Sees(FIRST, row_seconds=0.01), "two": Sees(SECOND, row_seconds=0.02)}
    found = hold(tmp_path, families, arena=contest(rows=4000))
    (mixture,) = (outcome for outcome in found.outcomes if outcome.name == "ensemble")
    assert set(mixture.members) == {"one", "two"}
    assert mixture.row_seconds == pytest.approx(0.03)


@pytest.mark.parametrize(("texts", "rows", "joins"), [(0, 600, True), (1, 600, False), (1, 4000, True)])
def test_near_equals_are_mixed_by_their_loss_where_that_costs_little_or_is_sure(tmp_path, texts, rows, joins):
    arena = contest(rows=rows)
    inputs = (*INPUTS, *[Column("note", "text")] * texts)
    rows = arena.examples.rows.with_columns(note=pl.lit("x"))
    arena = replace(arena, examples=replace(arena.examples, inputs=inputs, rows=rows))
    families = {"baseline": Sees(NOTHING), "one": Sees((2.2, 1.5)), "two": Sees((1.5, 2.2))}
    assert (hold(tmp_path, families, arena=arena).winner == "ensemble") == joins


def test_no_mixture_is_made_that_there_is_no_time_to_refit(tmp_path, monkeypatch):
    families = {"baseline": Sees(NOTHING), "one": Sees(FIRST), "two": Sees(SECOND)}
    monkeypatch.setattr(tournament, "can_refit", lambda *_, **__: False)
    monkeypatch.setattr(tournament, "combine", None)
    found = hold(tmp_path, families, arena=contest(rows=4000))
    assert statuses(found)["ensemble"] == "skipped"
    assert found.winner in {"one", "two"}


def test_killed_between_candidates_nothing_finished_is_done_again(tmp_path):
    strong = Sees(BOTH, seconds=0.2)
    interrupted = Sees(FIRST, seconds=1, breaks=None)

    def stop() -> None:
        raise KeyboardInterrupt

    interrupted.wait = stop
    families = {"baseline": Sees(NOTHING), "strong": strong, "weak": interrupted}
    with pytest.raises(KeyboardInterrupt):
        hold(tmp_path, families)
    interrupted.wait = lambda: None
    resumed = hold(tmp_path, families)
    unbroken = hold(tmp_path / "unbroken", families)
    assert strong.fits == [300, 600, 300, 600]
    assert resumed.winner == unbroken.winner
    assert np.array_equal(resumed.answers, unbroken.answers)
    assert resumed.graph.onnx == unbroken.graph.onnx


def test_a_candidate_that_a_kill_broke_off_goes_on_with_the_time_it_had(tmp_path):
    clocks, probes = [], []

    class Elastic(Sees):
        def estimate(self, train, task, recipe, *, seed):
            probes.append(len(train))
            return super().estimate(train, task, recipe, seed=seed)

        def fit(self, train, valid, task, recipe, *, settings, seed, clock):
            clocks.append(clock.left())
            return super().fit(train, valid, task, recipe, settings=settings, seed=seed, clock=clock)

    def stop() -> None:
        raise KeyboardInterrupt

    long = Elastic(BOTH, seconds=400.0, wait=stop)
    families = {"baseline": Sees(NOTHING), "long": long}
    with pytest.raises(KeyboardInterrupt):
        hold(tmp_path, families, clock=Clock.after(1000))
    asked = len(probes)
    long.wait = lambda: None
    resumed = hold(tmp_path, families, clock=Clock.after(100))  # anew it would be refused
    assert resumed.winner == "long"
    assert len(probes) == asked
    assert clocks[1] <= clocks[0] - 899  # nine hundred seconds are gone, and all of them were its own
    anew = hold(tmp_path / "anew", families, clock=Clock.after(100))
    assert statuses(anew)["long"] == "skipped"


def test_on_a_full_disk_candidates_stay_in_memory_and_one_line_each_says_so(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    families, events = {"baseline": Sees(NOTHING), "strong": Sees(BOTH)}, []
    with monkeypatch.context() as patch:
        patch.setattr("headway.training.storage.write_graph", full)
        found = hold(tmp_path, families, events=events)
    assert found.winner == "strong"
    assert found.refitted
    assert open_graph(found.graph).session is not None
    said = [event.text for event in events if isinstance(event, Unkept)]
    assert [text.split(" could not")[0] for text in said] == [
        "baseline", "strong", "refit_strong", "the end of the tournament",
    ]  # fmt: skip
    assert all("No space left on device" in text and translate(text, "zh") != text for text in said)
    assert [file for file in (tmp_path / "candidates").rglob("*") if file.suffix == ".onnx"] == []
    again = hold(tmp_path, families)
    assert again.winner == "strong"
    assert families["strong"].fits == [300, 600, 300, 600]


def test_without_time_for_a_refit_the_compared_model_ships(tmp_path):
    slow = Sees(BOTH, wait=lambda: time.sleep(1.2), seconds=1.2)
    events = []
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "slow": slow}, clock=Clock.after(3.0), events=events)
    assert found.winner == "slow"
    assert not found.refitted
    assert any("no time left" in event.text for event in events if isinstance(event, Remark))


def test_a_model_of_one_fold_ships_with_answers_of_its_own(tmp_path):
    class EachFoldAnother(Sees):
        def fit(self, train, valid, task, recipe, *, settings, seed, clock):
            self.fits.append(len(train))
            if valid is None:
                raise TrainingError("not once more")
            return Logistic(np.array(self.weights) / len(self.fits))

    arena = contest(folds=5)
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "odd": EachFoldAnother(BOTH)}, arena=arena)
    assert not found.refitted
    assert len(found.expected) == 120
    check_parity(found.graph, columns_of(arena.examples.rows[arena.valid[:120]]), found.expected)


def test_the_baseline_runs_in_no_time_at_all(tmp_path):
    events = []
    families = {"baseline": Sees(NOTHING), "late": Sees(BOTH)}
    found = hold(tmp_path, families, arena=contest(folds=5), clock=Clock.after(0), events=events)
    assert found.winner == "baseline"
    assert statuses(found)["late"] == "skipped"
    assert any("only the baseline" in event.text for event in events if isinstance(event, Remark))


def test_nothing_is_probed_when_the_time_is_up(tmp_path):
    class Probed(Sees):
        def estimate(self, train, task, recipe, *, seed):
            raise AssertionError("probed")

    found = hold(tmp_path, {"baseline": Sees(NOTHING), "late": Probed(BOTH)}, clock=Clock.after(0))
    assert statuses(found)["late"] == "skipped"


def test_the_leader_is_announced(tmp_path):
    events = []
    hold(tmp_path, {"baseline": Sees(NOTHING), "strong": Sees(BOTH)}, events=events)
    assert [event.name for event in events if isinstance(event, BestSoFar)][-1] == "strong"


def test_a_family_that_fails_its_probe_is_out(tmp_path):
    class Unprobed(Sees):
        def estimate(self, train, task, recipe, *, seed):
            raise TrainingError("nothing to probe")

    found = hold(tmp_path, {"baseline": Sees(NOTHING), "odd": Unprobed(BOTH), "weak": Sees(FIRST)})
    assert statuses(found)["odd"] == "failed"


def test_a_cross_validation_that_runs_out_of_time_counts_for_the_folds_it_saw(tmp_path):
    slow = Sees(BOTH, wait=lambda: time.sleep(1.0), seconds=1.0)
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "slow": slow}, arena=contest(folds=5), clock=Clock.after(5.0))
    (outcome,) = [outcome for outcome in found.outcomes if outcome.name == "slow"]
    assert found.winner == "slow"
    assert outcome.fits < 5
    assert f"{outcome.fits} of 5 folds" in outcome.reason
    assert len(found.answers) == 120 * outcome.fits


def test_a_candidate_too_slow_for_all_rows_learns_from_a_sample(tmp_path):
    large = Sees(BOTH, seconds=100)
    arena = contest(rows=20_000)
    found = hold(tmp_path, {"baseline": Sees(NOTHING), "large": large}, arena=arena, clock=Clock.after(20))
    (outcome,) = [outcome for outcome in found.outcomes if outcome.name == "large"]
    assert found.winner == "large"
    assert 1000 <= large.fits[0] < 10_000
    assert "sample" in outcome.reason
    assert large.fits[1] == 20_000


def test_that_only_the_baseline_meets_the_limits_is_said(tmp_path):
    events = []
    families = {"baseline": Sees(NOTHING), "strong": Sees(BOTH, ballast=500_000)}
    found = hold(tmp_path, families, arena=contest(limits={"size_mb": 1.0}), events=events)
    assert found.winner == "baseline"
    assert statuses(found)["strong"] == "over_limit"
    said = [event.text for event in events if isinstance(event, Remark)]
    assert said == ["only the baseline meets the limits: strong went over them"]


def test_text_encoders_have_their_turn_before_networks_that_learn_a_language_from_the_rows():
    entrants = tuple(
        Entrant(card, Recipe()) for card in discover().cards.values() if card.takes_part(frozenset({"text"}))
    )
    order = [{entrant.card.name for entrant in tier} for tier in tiers(entrants)]
    assert "baseline" in order[0]
    assert "ngram_linear" in order[1]
    assert "encoder_frozen" in order[2]
    assert {"encoder_fewshot", "encoder_finetune"} <= order[3]
    assert {"bag", "lstm", "text_cnn"} <= order[4]
