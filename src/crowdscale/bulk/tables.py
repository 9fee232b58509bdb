"""The tables of a part, as bytes: Parquet, CSV, JSON lines; and back, the columns asked for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from crowdscale.errors import MissingExtraError

__all__ = ["FORMATS", "need_parquet"]

Rows = list[dict[str, Any]]


def need_parquet() -> Any:
    """Return pyarrow. Raises MissingExtraError where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("Writing Parquet (--format csv and jsonl do without)", "bulk") from error
    return pyarrow


def _schema(pa: Any, broken: bool) -> Any:
    """Return the columns' types; a broken photo has its name and its sentence."""
    if broken:
        return pa.schema([("photo", pa.string()), ("error", pa.string())])
    box = [("box", pa.list_(pa.int32())), ("factor", pa.float32())]
    region = pa.struct([*box, ("count_before", pa.float32()), ("count_after", pa.float32())])
    people = {"people": pa.float64(), "low_90": pa.int64(), "high_90": pa.int64()}
    numbers = {**people, "first_pass": pa.float64(), "width": pa.int32(), "height": pa.int32()}
    work = {"reduction": pa.float64(), "tiles": pa.int32(), "seconds": pa.float32()}
    zone = [("name", pa.string()), ("people", pa.float64()), ("dots", pa.int32())]
    zones = pa.list_(pa.struct([*zone, ("per_square_metre", pa.float64())]))
    lists = {
        "zones": zones,
        "regions": pa.list_(region),
        **dict.fromkeys(("x", "y", "confidence"), pa.list_(pa.float32())),
        "warnings": pa.string(),
    }
    return pa.schema([("photo", pa.string()), *numbers.items(), *work.items(), *lists.items()])


def _to_parquet(rows: Rows, broken: bool) -> bytes:
    pa = need_parquet()
    schema = _schema(pa, broken)
    table = pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema=schema)
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(table, sink)
    return bytes(sink.getvalue())


def _from_parquet(data: bytes, columns: list[str]) -> Rows:
    pa = need_parquet()
    return list(pa.parquet.read_table(pa.BufferReader(data), columns=columns).to_pylist())


CSV_COLUMNS = (
    "photo",
    "people",
    "low_90",
    "high_90",
    "first_pass",
    "width",
    "height",
    "reduction",
    "tiles",
    "seconds",
    "regions",
    "zones",
    "warnings",
)


def _to_csv(rows: Rows, broken: bool) -> bytes:
    """A line a photo without its heads; regions as JSON."""
    stream = io.StringIO()
    columns = ["photo", "error"] if broken else list(CSV_COLUMNS)
    writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {**row, **{name: json.dumps(row[name]) for name in ("regions", "zones")}} for row in rows
    )
    return stream.getvalue().encode("utf-8", "surrogateescape")


def _from_csv(data: bytes, columns: list[str]) -> Rows:
    text = data.decode("utf-8", "surrogateescape")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [{name: _number(name, row[name]) for name in columns} for row in rows]


def _number(name: str, value: str) -> Any:
    return float(value) if name == "people" else value


def _to_lines(rows: Rows, broken: bool) -> bytes:
    kept = [{k: row[k] for k in ("photo", "error")} if broken else row for row in rows]
    if not broken:
        kept = [{k: v for k, v in row.items() if k != "error"} for row in kept]
    return "".join(json.dumps(row) + "\n" for row in kept).encode()


def _from_lines(data: bytes, columns: list[str]) -> Rows:
    return [{name: row[name] for name in columns} for row in map(json.loads, data.splitlines())]


FORMATS: dict[str, tuple[Callable[[Rows, bool], bytes], Callable[[bytes, list[str]], Rows]]] = {
    "parquet": (_to_parquet, _from_parquet),
    "csv": (_to_csv, _from_csv),
    "jsonl": (_to_lines, _from_lines),
}
"""How the rows of a part are written and read; CSV has no heads."""
