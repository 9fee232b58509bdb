"""Writes ``files-and-columns.md`` and the JSON schema from the one definition of results."""

from __future__ import annotations

import json
from pathlib import Path

from crowdscale.counting.camera_table import BinRecord, CameraRow
from crowdscale.counting.columns import Column, columns
from crowdscale.counting.encoding import file_schema, json_schema
from crowdscale.counting.frame_table import CrowdColumns, FrameRow, LineColumns, StayColumns
from crowdscale.counting.table import (
    RECORDS,
    VERSION,
    EvaluationRow,
    EventRecord,
    LineRecord,
    PhotoRow,
    RegionRecord,
    ZoneRecord,
)
from crowdscale.zones.crowd import NO_SAFETY_DEVICE

HERE = Path(__file__).parent
SCHEMA = f"photo-{VERSION}.schema.json"
FILE_SCHEMA = f"count-{VERSION}.schema.json"
PAGE = "files-and-columns.md"

TYPES = {"texts": "list of texts", "box": "4 integers", "heads": "list of 3 numbers", "intervals": "object"}

INTRODUCTION = f"""# Files and columns

Every file and the Python API use these names. `docs/files_and_columns.py` generates this page from
`crowdscale.counting.table`. The version of the schema is {VERSION}.

| result | columns |
|---|---|
| `count --json` | a list of photos, every column, exact numbers |
| `count --csv` | photos without `heads`, `intervals` and `interval_of`; `--zones` adds a column for each zone, its count |
| the page's JSON and CSV | the same as of `count --json` and `--csv` |
| `count --out`, Parquet and JSON lines | photos without `intervals`, `interval_of` and `error` |
| `count --out`, CSV | photos without `heads`, `intervals`, `interval_of` and `error` |
| `count --out`, `broken/` | `photo` and `error` |
| `Prediction.to_dict()` | a photo without `photo`, `zones` and `error` |
| `watch --rows` | frames |
| `GET /cameras` of the service | cameras |
| `evaluate --csv` | evaluated photos |

[{FILE_SCHEMA}]({FILE_SCHEMA}) is the JSON schema of the file that `count --json` writes, [{SCHEMA}]({SCHEMA}) that of one
photo, as in JSON lines and `POST /count`. Both may be copied; the number in their names is the version. It rises when a
name, a type or a meaning changes. A new column leaves it: pass over names that you don't know.

- CSV, Parquet and JSON lines round numbers to the decimals below. `count --json` keeps counts exact.
- In CSV a list is JSON. An empty list and a missing value are empty cells.
- In Parquet a head is a struct of `x`, `y` and `confidence`.
- Positions and boxes are pixels of the upright original. The first pixel spans 0 to 1 in boxes, and its centre is 0 for
  heads.
- Readers accept the former names for one release: `count --out` resumes a folder with former names, `watch --rows`
  appends to a file with them, `score` reads them.
"""


def table_text(title: str, table: type, after_name: bool = False) -> str:
    """Return a heading, the sentence of the class and a line for each column; after a zone's name, with spaces."""
    head = f"## {title}\n\n{(table.__doc__ or '').split(chr(10))[0]}\n\n"
    lines = ["| name | type | unit | decimals | description | former names |", "|---|---|---|---|---|---|"]
    shown = [
        each._replace(name=each.name.replace("_", " ")) if after_name else each for each in columns(table)
    ]
    return head + "\n".join([*lines, *map(line, shown)]) + "\n"


def line(each: Column) -> str:
    """Return a column as a line of the table."""
    kind = "list of records, below" if each.kind in RECORDS else TYPES.get(each.kind, each.kind)
    decimals = "" if each.decimals is None else str(each.decimals)
    former = ", ".join(f"`{name}`" for name in each.former)
    return f"| `{each.name}` | {kind} | {each.unit} | {decimals} | {each.description} | {former} |"


def files() -> dict[str, str]:
    """Return the text of each file by its name."""
    parts = [
        INTRODUCTION,
        table_text("A photo", PhotoRow),
        table_text("A region", RegionRecord),
        table_text("A zone", ZoneRecord),
        table_text("A frame", FrameRow)
        + "\nA zone adds its count under its name, with ground points also `NAME per m2` and `NAME level`. `zone NAME`\n"
        "replaces a name that is taken. The columns below follow the name, as in `gate forward per minute`.\n",
        table_text("A line of a frame", LineColumns, after_name=True),
        table_text("An area of a frame", StayColumns, after_name=True),
        table_text("An area on the ground", CrowdColumns, after_name=True) + f"\n{NO_SAFETY_DEVICE}\n",
        table_text("A camera", CameraRow),
        table_text("A line of a camera", LineRecord),
        table_text("An alarm of a camera", EventRecord),
        table_text("A bin of a camera's curve", BinRecord),
        table_text("An evaluated photo", EvaluationRow)
        + "\nEach threshold, such as 4px, adds `matched_4px` and `first_pass_matched_4px`: the true heads that a located "
        "head\nmatches.\n",
    ]
    schemas = {SCHEMA: json_schema(), FILE_SCHEMA: file_schema()}
    texts = {
        name: json.dumps(schema, indent=1, ensure_ascii=False) + "\n" for name, schema in schemas.items()
    }
    return {PAGE: "\n".join(parts), **texts}


if __name__ == "__main__":
    for name, text in files().items():
        (HERE / name).write_text(text, encoding="utf-8")
