"""The files of a part as bytes, in Parquet, CSV and JSON lines, and back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

from crowdscale.counting.columns import columns, current_names, rounded
from crowdscale.counting.encoding import arrow_schema, csv_text
from crowdscale.counting.table import RECORDS, PhotoRow
from crowdscale.errors import MissingExtraError

__all__ = ["FORMATS", "Format", "need_parquet", "usual_format"]

Rows = list[dict[str, Any]]

COUNTED = tuple(
    each.name for each in columns(PhotoRow) if each.name not in ("intervals", "interval_of", "error")
)
"""Columns of a counted photo in a part."""
FAILED = ("photo", "error")
"""Columns of a photo without a count."""


def usual_format() -> str:
    """Return ``parquet`` where pyarrow is installed, otherwise ``csv``."""
    return "parquet" if find_spec("pyarrow") else "csv"


def need_parquet() -> Any:
    """Return pyarrow. Raises MissingExtraError where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("Writing Parquet (--format csv and jsonl do without)", "bulk") from error
    return pyarrow


def _to_parquet(rows: Sequence[PhotoRow], failed: bool) -> bytes:
    pa = need_parquet()
    schema = arrow_schema(pa, FAILED if failed else COUNTED)
    plain = []
    for row in rows:
        values = rounded(row)
        values["heads"] = values["heads"] and [tuple(head) for head in values["heads"]]
        plain.append({name: values[name] for name in schema.names})
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.Table.from_pylist(plain, schema=schema), sink)
    return bytes(sink.getvalue())


def _parquet_names(data: bytes) -> list[str]:
    pa = need_parquet()
    return list(pa.parquet.read_schema(pa.BufferReader(data)).names)


def _from_parquet(data: bytes, names: Sequence[str]) -> Rows:
    pa = need_parquet()
    rows: Rows = pa.parquet.read_table(pa.BufferReader(data), columns=list(names)).to_pylist()
    for row in rows:
        if row.get("heads"):
            row["heads"] = [list(head.values()) for head in row["heads"]]
    return rows


def _to_csv(rows: Sequence[PhotoRow], failed: bool) -> bytes:
    names = FAILED if failed else [name for name in COUNTED if name != "heads"]
    return csv_text(map(rounded, rows), names).encode("utf-8", "surrogateescape")


def _csv_lines(data: bytes) -> io.StringIO:
    return io.StringIO(data.decode("utf-8", "surrogateescape"), newline="")


def _csv_names(data: bytes) -> list[str]:
    return next(csv.reader(_csv_lines(data)), [])


def _from_csv(data: bytes, names: Sequence[str]) -> Rows:
    kinds = {each.name: each.kind for each in columns(PhotoRow)}
    kinds = {name: kinds.get(new, "text") for name in names for new in current_names(PhotoRow, {name: 0})}
    return [
        {name: _value(kinds[name], row[name]) for name in names} for row in csv.DictReader(_csv_lines(data))
    ]


def _value(kind: str, cell: str) -> Any:
    if kind == "text":
        return cell
    if not cell:
        return [] if kind in (*RECORDS, "texts") else None
    if kind in ("number", "integer"):
        return float(cell) if kind == "number" else int(cell)
    return json.loads(cell) if cell[0] in "[{" else cell


def _to_lines(rows: Sequence[PhotoRow], failed: bool) -> bytes:
    names = FAILED if failed else COUNTED
    lines = ({name: values[name] for name in names} for values in map(rounded, rows))
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _line_names(data: bytes) -> list[str]:
    return list(json.loads(data.split(b"\n", 1)[0] or b"{}"))


def _from_lines(data: bytes, names: Sequence[str]) -> Rows:
    return [{name: row[name] for name in names} for row in map(json.loads, data.splitlines())]


class Format(NamedTuple):
    """A kind of file for the rows of a part."""

    write: Callable[[Sequence[PhotoRow], bool], bytes]
    """Takes the rows and whether their photos have no count."""
    names: Callable[[bytes], list[str]]
    """Returns the columns of a file."""
    read: Callable[[bytes, Sequence[str]], Rows]
    """Returns the rows of a file with these columns."""


FORMATS = {
    "parquet": Format(_to_parquet, _parquet_names, _from_parquet),
    "csv": Format(_to_csv, _csv_names, _from_csv),
    "jsonl": Format(_to_lines, _line_names, _from_lines),
}
"""The kinds of files by name; CSV has no heads."""
