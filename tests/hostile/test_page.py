"""The page of hostile inputs shows the counts that were kept."""

from __future__ import annotations

from pathlib import Path

from benchmarks.hostile import Counts
from benchmarks.isolated import Tally

FOLDER = Path(__file__).parents[2] / "research" / "results" / "hostile"


def test_the_table_is_that_of_the_counts() -> None:
    counts = Counts(FOLDER / "inputs.json")
    assert counts.table() in (FOLDER / "README.md").read_text(encoding="utf-8")
    assert not any(tally.faults for tally in counts.tallies.values())


def test_pieces_add_up_and_mended_faults_are_read_again() -> None:
    first, second = Tally(3, 1, 1, 0, 1, 0.5, 80, [4, 5]), Tally(2, 0, slowest=0.7, memory=70)
    both = first + second
    assert (both.inputs, both.slowest, both.memory, both.faults) == (8, 0.7, 80, [4, 5])
    assert both.without_faults().plus(Tally(1, 1)).inputs == 8
