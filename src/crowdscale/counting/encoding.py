"""Encodings of the schema's tables: CSV text, Parquet types and the JSON schema."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from crowdscale.counting.columns import columns
from crowdscale.counting.table import RECORDS, VERSION, PhotoRow

__all__ = ["KINDS", "arrow_schema", "csv_text", "file_schema", "json_schema", "record_schema"]


def csv_text(rows: Iterable[Mapping[str, Any]], names: Sequence[str], header: bool = True) -> str:
    """Return rows as CSV; a list becomes JSON, an empty list and None an empty cell.

    A row with a carriage return has quotes around every cell: the csv module alone would leave it bare.
    """
    stream = io.StringIO()
    plain = csv.writer(stream, lineterminator="\n")
    quoted = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    if header:
        (quoted if any("\r" in name for name in names) else plain).writerow(names)
    for row in rows:
        cells = [_cell(row.get(name, "")) for name in names]
        (quoted if any("\r" in str(cell) for cell in cells) else plain).writerow(cells)
    return stream.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else value


def arrow_schema(pa: Any, names: Sequence[str]) -> Any:
    """Return the Parquet types of these columns of ``PhotoRow``.

    Args:
        pa: The module pyarrow.
        names: Names of columns.
    """
    return pa.schema(
        [(each.name, _arrow_type(pa, each.kind)) for each in columns(PhotoRow) if each.name in names]
    )


def _arrow_type(pa: Any, kind: str) -> Any:
    if kind in RECORDS:
        parts = [(each.name, _arrow_type(pa, each.kind)) for each in columns(RECORDS[kind])]
        return pa.list_(pa.struct(parts))
    head = pa.struct([(name, pa.float32()) for name in ("x", "y", "confidence")])
    kinds = {
        "text": pa.string(),
        "number": pa.float64(),
        "integer": pa.int64(),
        "boolean": pa.bool_(),
        "texts": pa.list_(pa.string()),
        "box": pa.list_(pa.int32()),
        "heads": pa.list_(head),
    }
    return kinds[kind]


KINDS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "box": {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4},
    "heads": {
        "type": "array",
        "items": {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3},
    },
    "intervals": {
        "type": "object",
        "additionalProperties": {
            "type": "array",
            "items": {"type": "integer"},
            "minItems": 2,
            "maxItems": 2,
        },
    },
}
"""The JSON type of each kind of column; ``RECORDS`` has the others."""


def json_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a photo, as ``count --json`` and JSON lines hold it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:crowdscale:photo:{VERSION}",
        "title": "crowdscale photo",
        "version": VERSION,
        **record_schema(PhotoRow),
    }


def file_schema() -> dict[str, Any]:
    """Return the JSON schema of the whole file of ``count --json``: a list of photos."""
    photo = json_schema()
    return {
        "$schema": photo.pop("$schema"),
        "$id": f"urn:crowdscale:count:{VERSION}",
        "title": "crowdscale count --json",
        "version": VERSION,
        "type": "array",
        "items": photo,
    }


def record_schema(table: type) -> dict[str, Any]:
    """Return the JSON schema of the plain values of a table."""
    properties = {}
    for each in fields(table):
        kind = each.metadata["kind"]
        content: dict[str, Any] = (
            {"type": "array", "items": record_schema(RECORDS[kind])} if kind in RECORDS else dict(KINDS[kind])
        )
        if each.default is None:
            content["type"] = [content["type"], "null"]
        properties[each.name] = {**content, "description": each.metadata["description"]}
    return {"type": "object", "properties": properties, "required": [each.name for each in fields(table)]}
