"""A large model that writes, in as few bits as its perplexity allows: before the test part is touched."""

from __future__ import annotations

from dataclasses import replace

from headway.models.decoder_graph import facts_of, with_bits
from headway.pipeline.attempt import Attempt
from headway.pipeline.competing import CANDIDATES, Competed
from headway.training.outcome import Outcome
from headway.training.storage import Store

PACKED = "packed"
# Smaller ones ship as they were trained; and on so many validation tokens perplexity is measured.
SMALL_MB, PROVEN_TOKENS = 20.0, 2_000


def settle_bits(attempt: Attempt, competed: Competed) -> Competed:
    """Return what the tournament handed on, with the graph as it will ship; what is judged from now on is that graph.

    The release gate allows 3% of the perplexity on validation rows. It is kept, so that a resumed run finds it.
    """
    graph = competed.tournament.graph
    is_small = graph.size < SMALL_MB * 2**20
    if competed.task.kind != "generate" or attempt.project.compress == "off" or is_small:
        return competed
    with attempt.stage("compress") as note:
        store = Store(attempt.folder.path / CANDIDATES)
        kept = store.load(PACKED)
        note.resumed = kept is not None
        if kept is not None and kept.graph is not None:
            packed = kept.graph
        else:
            packed = with_bits(graph, competed.contest.examples.rows[competed.contest.valid], tokens=PROVEN_TOKENS)
            with attempt.keeping("the packed model"):
                store.save(Outcome(PACKED, "ok", graph=packed))
        facts = facts_of(packed)[1]
        note.text = (
            f"{facts.precision}: {facts.proof['size_mb_float32']:.0f} to {facts.proof['size_mb']:.0f} MB, "
            f"perplexity {100 * facts.proof['perplexity_change']:+.1f}%"
        )
    return replace(competed, tournament=replace(competed.tournament, graph=packed))
