import json
import os
import subprocess
import sys

from headway.serving.learning.ledger import Figure, Ledger, add_up, shared_folder


def test_counters_add_up_over_workers_and_gauges_show_the_worst(tmp_path):
    (tmp_path / "1.json").write_text(
        json.dumps([["taken", 5, "counter", [["lane", "store"]]], ["down", 1, "gauge", []]])
    )
    (tmp_path / "2.json").write_text("half writ")
    mine = Ledger(tmp_path, lambda: [Figure("taken", 2, "counter", (("lane", "store"),)), Figure("down", 0, "gauge")])
    assert mine.figures() == [Figure("down", 1.0, "gauge"), Figure("taken", 7.0, "counter", (("lane", "store"),))]
    mine.close()
    assert add_up(tmp_path)[-1].value == 7.0


def test_the_least_of_what_is_surer_the_smaller_it_is_counts(tmp_path):
    (tmp_path / "1.json").write_text(json.dumps([["p", 0.001, "least", []]]))
    (tmp_path / f"{os.getpid()}.json").write_text(json.dumps([["p", 0.7, "least", []]]))
    assert add_up(tmp_path) == [Figure("p", 0.001, "least")]


def test_a_worker_that_was_killed_counts_and_tells_nothing_of_now(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    figures = [["taken", 5, "counter", []], ["lacks", 3, "least", []], ["down", 1, "gauge", []]]
    (tmp_path / f"{process.pid}.json").write_text(json.dumps(figures))
    mine = Ledger(tmp_path, lambda: [Figure("lacks", 70, "least"), Figure("down", 0, "gauge")])
    found = mine.figures()
    assert found == [Figure("down", 0, "gauge"), Figure("lacks", 70, "least"), Figure("taken", 5, "counter")]


def test_all_children_of_a_parent_share_a_folder():
    assert shared_folder(os.getpid()) == shared_folder(os.getpid())
    assert str(shared_folder(os.getpid(), {"HEADWAY_LEDGER": "/x"})) == "/x"
