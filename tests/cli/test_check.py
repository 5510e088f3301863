from rich.console import Console

from headway.cli.check import cost_table
from headway.pipeline.checking import CandidateCost

TREES = CandidateCost("trees", 1.0, 20.0, fits=True)
FROZEN = CandidateCost("encoder_frozen", 90.0, 480.0, fits=True, tokens_per_second=2201.4)


def shown(costs, language="en"):
    """Return the lines of the table, as cells."""
    console = Console(width=120)
    with console.capture() as captured:
        console.print(cost_table(costs, language))
    return [line.split("  ") for line in captured.get().splitlines()]


def cells(line):
    return [cell.strip() for cell in line if cell.strip()]


def test_tokens_a_second_stand_beside_time_and_memory():
    head, trees, frozen = shown((TREES, FROZEN))
    assert cells(head) == ["candidate", "estimate", "memory MB", "tokens/s", "note"]
    assert cells(trees) == ["✓ trees", "1s", "20"]
    assert cells(frozen) == ["✓ encoder_frozen", "1m 30s", "480", "2,201"]
    assert "词元/秒" in cells(shown((FROZEN,), "zh")[0])


def test_without_an_encoder_there_is_no_such_column():
    assert cells(shown((TREES,))[0]) == ["candidate", "estimate", "memory MB", "note"]
