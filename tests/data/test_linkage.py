import numpy as np
import polars as pl

from headway.data.linkage import link

FIRST = ["anna", "bruno", "clara", "dmitri", "elena", "farid", "greta", "hiro", "ines", "jonas"]
LAST = ["abelson", "bianchi", "castillo", "dubois", "eriksen", "fontaine", "guerrero", "hoffmann", "ivanov", "jansson"]
STREETS = ["maple", "river", "station", "church", "garden", "market", "castle", "orchard", "harbour", "meadow"]


def make_people(count, seed=0):
    random = np.random.default_rng(seed)
    pick = lambda names: [names[i] for i in random.integers(0, len(names), count)]  # noqa: E731
    return pl.DataFrame(
        {
            "id": [f"p{i}" for i in range(count)],
            "given": pick(FIRST),
            "surname": [f"{name}{'aeiou'[i % 5]}{i % 97}" for i, name in enumerate(pick(LAST))],
            "street": [
                f"{number} {name} street"
                for number, name in zip(random.integers(1, 200, count), pick(STREETS), strict=True)
            ],
            "born": [f"19{y:02d}{m:02d}{d:02d}" for y, m, d in random.integers(1, 12, (count, 3)) * [7, 1, 2]],
        }
    )


def with_typos(people):
    return people.with_columns(
        pl.col("id") + "-copy",
        pl.col("given").str.slice(0, 3) + pl.col("given").str.slice(4),
        pl.col("street").str.replace("street", "stret"),
    )


def test_records_with_typos_are_linked_and_others_are_not():
    people = make_people(400)
    both = pl.concat([people, with_typos(people.head(100))])
    found = link(both)
    assert {(left, right) for left, right, _ in found.rows()} == {(i, 400 + i) for i in range(100)}
    assert found["score"].min() > 8


def test_a_missing_field_is_no_evidence_against():
    people = make_people(300)
    copies = people.head(50).with_columns(pl.lit(None, pl.String).alias("given"), pl.col("id") + "x")
    found = {(left, right) for left, right, _ in link(pl.concat([people, copies])).rows()}
    assert found == {(i, 300 + i) for i in range(50)}


def test_agreement_on_common_values_alone_links_nothing():
    random = np.random.default_rng(1)
    frame = pl.DataFrame({name: [f"level {i}" for i in random.integers(0, 3, 200)] for name in "abc"})
    assert link(frame, list("abc")).is_empty()


def test_one_row_links_with_nothing():
    assert link(make_people(1)).is_empty()
