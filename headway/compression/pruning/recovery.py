"""Train what is left of a graph to answer as the whole did."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from headway.compression.distilling.lessons import Lesson as Taught
from headway.compression.pruning.blueprint import Blueprint
from headway.compression.pruning.executing import Executed
from headway.compression.quantising.schemes import inputs_of
from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.models.family import Examples
from headway.networks import training
from headway.networks.batches import Arrays, Columns, Lesson, Sequences, Source
from headway.networks.loop import scale_of
from headway.networks.plan import Plan
from headway.package.graph import Graph
from headway.runtime.manifest import RowFeed, TokenFeed
from headway.tasks import Task
from headway.training.trial import columns_of

# An encoder learns at a tenth of the rate that other networks do.
RATES = {True: 1e-4, False: 1e-3}
EPOCHS, BATCH = 4, 32


@dataclass(frozen=True)
class Course:
    """What a cut graph is trained on: the teacher's answers, rows that tell when to stop (or None), and how long."""

    graph: Graph
    taught: Taught
    valid: Examples | None
    task: Task
    epochs: int
    seed: int


def recovered(blueprint: Blueprint, course: Course, clock: Clock) -> tuple[Blueprint, int]:
    """Return the graph after training, and the epoch that was the best; 0 where it did best as it was cut."""
    taught = course.taught.examples
    scale = scale_of(taught.y, course.task)
    valid = None
    if course.valid is not None:
        valid = Lesson(source_of(course.graph, course.valid), course.valid.y, course.valid.weight)
    trained = training.train(
        lambda: Executed(blueprint, scale),
        Lesson(source_of(course.graph, taught), taught.y, taught.weight),
        valid,
        course.task,
        _plan(blueprint, course.epochs),
        seed=course.seed,
        clock=clock,
    )
    network = trained.network
    assert isinstance(network, Executed)
    return replace(blueprint, arrays={**blueprint.arrays, **network.learnt()}), trained.best_epoch


def _plan(blueprint: Blueprint, epochs: int) -> Plan:
    is_encoder = any(node.op_type == "MultiHeadAttention" for node in blueprint.nodes)
    return Plan(
        learning_rate=RATES[is_encoder],
        weight_decay=0.0,
        batch_size=BATCH,
        epochs=epochs,
        schedule="linear",
        warmup=0.1,
        early_stopping=epochs,
        clip=1.0,
        solved=True,
        gentle_steps=20,
    )


def source_of(graph: Graph, examples: Examples) -> Source:
    """Return a graph's inputs for rows as batches; raises `TrainingError` for tokens beside other inputs."""
    arrays = inputs_of(graph, columns_of(examples.rows))
    tokens = [feed for feed in graph.feeds if isinstance(feed, TokenFeed | RowFeed)]
    if not tokens:
        return Arrays(tuple(np.asarray(array) for array in arrays.values()))
    if len(tokens) != len(graph.feeds):
        raise TrainingError("a graph that reads tokens beside other inputs cannot be trained once it is cut")
    return Columns(
        tuple(Sequences.of(arrays[f"{feed.name}.ids"], arrays[f"{feed.name}.mask"], feed.pad_id) for feed in tokens)
    )
