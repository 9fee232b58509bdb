"""Each case gives the right answer, and ``data check`` finds its fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.rows import ROWS, Row
from tests.cases.run import MORE, check_answer, convert_answer, is_right, lay_out


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join((row.name, *row.classes)))
def test_an_annotation_is_read_right_or_refused(tmp_path: Path, row: Row) -> None:
    source = lay_out(row, tmp_path)
    assert is_right(row, source), convert_answer(row, source)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.check is not None], ids=lambda row: "-".join((row.name, *row.classes))
)
def test_check_finds_the_fault(tmp_path: Path, row: Row) -> None:
    sentences = check_answer(row, lay_out(row, tmp_path))
    assert row.check in sentences if row.check else not sentences


@pytest.mark.parametrize("name", MORE)
def test_zones_scores_pictures_and_films(name: str) -> None:
    if name.startswith(("videos", "password")):
        pytest.importorskip("av")
    answer, part = MORE[name]
    assert part in answer()
