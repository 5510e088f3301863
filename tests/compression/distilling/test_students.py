import numpy as np
import polars as pl

from headway.compression.distilling.students import distilled_variants
from headway.compute.clock import Clock
from headway.package.opening import open_graph
from tests.compression.graphs import subject_of, table_graph


def few_characters(rows, seed=1):
    generator = np.random.default_rng(seed)
    return pl.DataFrame({"text": ["".join(map(chr, generator.integers(0x4E00, 0x4E40, 8))) for _ in range(rows)]})


def test_an_ngram_student_learns_what_its_teacher_knows():
    subject = subject_of(table_graph(), few_characters(900))
    variants = {variant.name: variant for variant in distilled_variants(subject, winner="encoder_frozen")}
    made = variants["ngram_linear student"].make(Clock())
    agreed = open_graph(made.graph).run(subject.exam_columns).argmax(1)
    taught = open_graph(subject.judged).run(subject.exam_columns).argmax(1)
    assert (agreed == taught).mean() > 0.5  # of five labels, from 600 rows of noise
    assert made.ship(Clock()) is made.graph


def test_the_model_itself_and_families_that_read_something_else_are_no_students():
    names = {
        variant.name for variant in distilled_variants(subject_of(table_graph(), few_characters(60)), winner="bag")
    }
    assert "ngram_linear student" in names
    assert not names & {"bag student", "cnn student", "mlp student"}
