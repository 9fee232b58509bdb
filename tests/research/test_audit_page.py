"""The tables of docs/audit.md are those of the committed results."""

import json
import shutil
from pathlib import Path

from research.audit_page import tables, write_page
from research.audits import PAGE, RESULTS


def test_the_page_holds_the_committed_numbers() -> None:
    assert tables(RESULTS) in PAGE.read_text(encoding="utf-8")


def test_the_targets_are_met_by_the_committed_numbers() -> None:
    for data in ("sha", "shb"):
        for quality in ("lite-full", "nano-full", "nano-half"):
            rows = json.loads((RESULTS / f"{data}-{quality}.json").read_text())["rows"]
            held = {
                row["tiles"]: row["coverage"] for row in rows if "tiles" in row and "folder_of" not in row
            }
            assert all(0.87 <= held[tiles] <= 0.93 for tiles in (8, 12, 20))


def test_a_page_is_written_between_its_marks(tmp_path: Path) -> None:
    page = Path(shutil.copy(PAGE, tmp_path / "audit.md"))
    before = page.read_text(encoding="utf-8")
    page.write_text(before.replace(tables(RESULTS), "old"), encoding="utf-8")
    write_page(RESULTS, page)
    assert page.read_text(encoding="utf-8") == before
