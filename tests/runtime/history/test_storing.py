from dataclasses import replace

import numpy as np
import pytest

from headway.errors import PackageError
from headway.runtime.history.storing import read_past, write_past
from tests.runtime.history.rows import HISTORY, memory_of, purchases


def test_the_past_survives_the_round_trip():
    memory = memory_of(purchases())
    facts, content = write_past(memory.history, memory.past)
    back = read_past(facts, content)
    for name in ("times", "keys", "values", "outcomes"):
        np.testing.assert_array_equal(getattr(back, name), getattr(memory.past, name))
    assert (facts.events, len(facts.distinct)) == (300, 2)


def test_names_of_keys_are_not_in_the_file():
    _, content = write_past(*(getattr(memory_of(purchases()), name) for name in ("history", "past")))
    assert b"ann" not in content
    assert "孙".encode() not in content


def test_a_damaged_file_is_refused():
    memory = memory_of(purchases())
    facts, content = write_past(memory.history, memory.past)
    for broken in (content[:-4], content + b"1234", b""):
        with pytest.raises(PackageError, match="does not fit its manifest"):
            read_past(facts, broken)
    forged = content[: 8 * 300 + 8 * sum(facts.distinct)] + b"\xff" * (len(content) - 8 * 300 - 8 * sum(facts.distinct))
    with pytest.raises(PackageError, match="names keys that it does not have"):
        read_past(facts, forged)


def test_no_rows():
    facts, content = write_past(HISTORY, memory_of(purchases()).past.take(np.zeros(0, int)))
    assert len(read_past(replace(facts), content)) == 0
