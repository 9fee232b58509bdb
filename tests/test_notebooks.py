"""The notebooks of the site run from top to bottom, and hold small outputs without errors."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.guides import DOCS, ROOT, clone

NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path):
    return pytest.importorskip("nbformat", reason="needs the extra [docs]").read(path, 4)


@each
def test_it_holds_small_outputs_of_one_run_in_order(path):
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)
    assert path.stat().st_size < 600_000


@pytest.mark.slow
@each
def test_it_runs(path, bundled, tmp_path, monkeypatch):
    client = pytest.importorskip("nbclient", reason="needs the extra [docs]")
    pytest.importorskip("ipykernel", reason="needs the extra [dev]")
    folder = clone(tmp_path)
    place = folder / "docs" / "notebooks"
    place.mkdir(parents=True)
    for name, paths in {
        "PATH": [str(folder / ".venv" / "bin"), os.environ["PATH"]],
        "PYTHONPATH": [str(ROOT / "src"), str(ROOT), *sys.path],
        "CROPS": ["8"],
    }.items():
        monkeypatch.setenv(name, os.pathsep.join(paths))
    book = read(path)
    for cell in book.cells:
        if 'os.environ["CROPS"]' in cell.source:
            cell.source = 'print("8 crops are enough for a test")'
    client.NotebookClient(book, timeout=900, resources={"metadata": {"path": str(place)}}).execute()
