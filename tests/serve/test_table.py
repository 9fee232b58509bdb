"""The page's tables hold the one schema: the columns and values of ``crowdscale count --csv`` and ``--json``."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from crowdscale import load
from crowdscale.counting.columns import rounded
from crowdscale.counting.table import PhotoRow
from crowdscale.points import Points
from crowdscale.serve.page import find_page
from tests.support.commands import crowdscale
from tests.support.fakes import encoded, label_photo

NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="Node is not installed")


@pytest.fixture(scope="module")
def both(label_model, tmp_path_factory):
    """Return the tables of the page and of the command, of a crowd, of nobody and of a file that is no photo."""
    folder = tmp_path_factory.mktemp("tables")
    names = [str(folder / name) for name in ("a, b.png", "nobody.png", "c.png")]
    Path(names[0]).write_bytes(encoded(label_photo(Points([(20.25, 30.5), (100, 90), (104, 92)]), 240, 160)))
    Path(names[1]).write_bytes(encoded(label_photo(Points([]), 240, 160)))
    Path(names[2]).write_bytes(b"no photo")
    done = crowdscale(
        "count",
        *names,
        "--model",
        label_model,
        "--csv",
        folder / "counts.csv",
        "--json",
        folder / "counts.json",
    )
    assert done.returncode == 1, done.stderr  # one of three failed
    by_command = (folder / "counts.csv").read_text(), json.loads((folder / "counts.json").read_text())
    predictor = load(label_model)
    # as the service answers: without the columns that a photo of it cannot have
    results = [{"photo": name, **predictor.predict(name).to_dict()} for name in names[:2]]
    (folder / "job.json").write_text(
        json.dumps([*results, {"photo": names[2], "error": by_command[1][2]["error"]}])
    )
    return by_command, by_page(folder / "job.json")


def by_page(job: Path) -> tuple[str, list]:
    command = [NODE, str(Path(__file__).with_name("table.mjs")), str(find_page()), str(job)]
    page = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)
    return page["csv"], json.loads(page["json"])


def test_csv_has_the_columns_of_the_command(both):
    command, page = (list(csv.reader(io.StringIO(text))) for text, _ in both)
    assert page[0] == command[0]
    assert len(page) == len(command) == 4


def test_csv_has_the_values_of_the_command(both):
    command, page = (list(csv.DictReader(io.StringIO(text))) for text, _ in both)
    for ours, theirs in zip(page, command, strict=True):
        for name in set(theirs) - {"seconds"}:  # it was counted twice
            assert value_of(ours[name]) == value_of(theirs[name]), name


def test_json_has_every_column_of_the_command(both):
    (_, command), (_, page) = both
    for ours, theirs in zip(page, command, strict=True):
        assert list(ours) == list(theirs)
        assert {**ours, "seconds": 0} == {**theirs, "seconds": 0}


def test_a_region_is_a_record_of_the_schema(tmp_path):
    region = {
        "box": [1, 2, 30, 40],
        "zoom": 1.234567,
        "first_pass_count": 4.56789,
        "count": 5.0,
        "capped": True,
    }
    row = PhotoRow.from_dict({"photo": "a.png", "count": 7.12345, "regions": [region], "heads": []})
    (tmp_path / "job.json").write_text(json.dumps([row.to_dict() | {"size": [50, 60]}]))
    text, (exact,) = by_page(tmp_path / "job.json")
    assert exact["regions"] == [region]
    (cells,) = csv.DictReader(io.StringIO(text))
    assert json.loads(cells["regions"]) == rounded(row)["regions"]
    assert cells["count"] == "7.123"


def value_of(cell: str) -> object:
    """Return a cell's value: 3 and 3.0 are one number."""
    try:
        return json.loads(cell)
    except ValueError:
        return cell
