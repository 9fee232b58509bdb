"""The one schema of results: names, types and former names; its page and its JSON schema are current."""

from __future__ import annotations

import csv
import io
import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from crowdscale.counting.columns import columns, current_names, rounded
from crowdscale.counting.encoding import KINDS, csv_text, json_schema
from crowdscale.counting.frame_table import FrameRow
from crowdscale.counting.prediction import Prediction, Region
from crowdscale.counting.table import RECORDS, EvaluationRow, PhotoRow, RegionRecord, ZoneRecord, photo_row
from crowdscale.points import Box, Points

DOCS = Path(__file__).parents[2] / "docs"
TABLES = (PhotoRow, RegionRecord, ZoneRecord, FrameRow, EvaluationRow)
REGION = Region(Box(1, 2, 30, 40), 1.23456, 3.0, 4.56789, True)
SEEN = Prediction(
    7.123456, Points([[1.0, 2.0]], np.array([0.5])), None, (REGION,), 6.5, None, (640, 480), "lite",
    read_scale=0.5, warnings=("Dark.",),
)  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_a_kind_and_a_description(table):
    for each in columns(table):
        assert each.kind in {**KINDS, **RECORDS}
        assert each.description
        assert each.description[-1] != "."
        assert each.decimals is None or each.kind in ("number", "heads")


def test_the_same_thing_has_the_same_name_in_every_table():
    names = [{each.name for each in columns(table)} for table in (PhotoRow, FrameRow, EvaluationRow)]
    assert {"count", "seconds"} <= set.intersection(*names)
    assert {"photo", "first_pass_count"} <= names[0] & names[2]
    assert {"zoom", "first_pass_count", "count"} <= {each.name for each in columns(RegionRecord)}
    formers = {former for table in TABLES for each in columns(table) for former in each.former}
    assert not formers & {each.name for each in columns(PhotoRow) if each.name != "regions"}


def test_a_prediction_and_its_row_agree():
    row = photo_row("a.jpg", SEEN)
    values = row.to_dict()
    assert {
        name: v for name, v in values.items() if name not in ("photo", "zones", "error")
    } == SEEN.to_dict()
    assert values["count"] == SEEN.count
    assert values["heads"] == [[1.0, 2.0, 0.5]]
    assert (values["width"], values["height"], values["count_low"]) == (640, 480, None)
    table = rounded(row)
    assert (table["count"], table["regions"][0]["zoom"], table["regions"][0]["count"]) == (
        7.123,
        1.2346,
        4.568,
    )
    assert PhotoRow.from_dict(json.loads(json.dumps(values))) == row


def test_csv_holds_lists_as_json_and_nothing_as_an_empty_cell():
    names = [each.name for each in columns(PhotoRow)]
    first, second = csv.DictReader(
        io.StringIO(csv_text([rounded(photo_row("a.jpg", SEEN)), rounded(PhotoRow("b.jpg"))], names))
    )
    assert json.loads(first["regions"])[0]["box"] == [1, 2, 30, 40]
    assert json.loads(first["warnings"]) == ["Dark."]
    assert first["count"] == "7.123"
    assert second["count"] == second["regions"] == second["heads"] == ""


def test_former_names_are_read_for_one_release():
    before = {"photo": "a", "people": 3.0, "low_90": 2, "first_pass": 1.0, "reduction": 0.5, "mine": 1}
    assert current_names(PhotoRow, before) == {
        "photo": "a", "count": 3.0, "count_low": 2, "first_pass_count": 1.0, "read_scale": 0.5, "mine": 1
    }  # fmt: skip
    assert current_names(PhotoRow, {"count": 1.0, "people": 2.0}) == {"count": 1.0, "people": 2.0}
    assert current_names(EvaluationRow, {"name": "a", "regions": 2}) == {"photo": "a", "region_count": 2}


def test_the_json_schema_names_every_column():
    schema = json_schema()
    assert schema["required"] == [each.name for each in columns(PhotoRow)]
    regions = schema["properties"]["regions"]["items"]
    assert regions["required"] == [each.name for each in columns(RegionRecord)]
    assert schema["properties"]["count"]["type"] == ["number", "null"]


def test_the_page_and_the_schema_file_are_current():
    made = runpy.run_path(str(DOCS / "files_and_columns.py"))
    for name, text in made["files"]().items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, "run: python docs/files_and_columns.py"
