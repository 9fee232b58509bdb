"""Columns of tables: a class is a table, a field is a column, and its metadata describe it.

The metadata hold the unit, the description and the former names, from which ``docs/files-and-columns.md`` and the JSON
schema are generated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, field, fields, is_dataclass
from typing import Any, NamedTuple

__all__ = ["Column", "column", "columns", "current_names", "plain", "rounded"]


class Column(NamedTuple):
    """One column of a table."""

    name: str
    kind: str
    """A key of ``encoding.KINDS`` or of ``table.RECORDS``."""
    unit: str
    description: str
    former: tuple[str, ...]
    """Names before this version, which readers accept for one release."""
    decimals: int | None
    """Of a number in CSV, Parquet and JSON lines; None where nothing is rounded."""


def column(
    kind: str,
    description: str,
    unit: str = "",
    former: tuple[str, ...] = (),
    decimals: int | None = None,
    default: Any = MISSING,
) -> Any:
    """Return a dataclass field with its column in the metadata; a list is empty by default."""
    content = {"kind": kind, "unit": unit, "description": description, "former": former, "decimals": decimals}
    if default is list:
        return field(default_factory=list, metadata=content)
    return field(metadata=content) if default is MISSING else field(default=default, metadata=content)


def columns(table: type) -> tuple[Column, ...]:
    """Return the columns of a table in their order."""
    return tuple(Column(each.name, **each.metadata) for each in fields(table))


def current_names(table: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of a table under its current names; unknown names stay."""
    current = {former: each.name for each in columns(table) for former in each.former}
    taken = {each.name for each in columns(table)} & values.keys()
    return {
        current.get(name, name) if current.get(name) not in taken else name: v for name, v in values.items()
    }


def plain(row: Any) -> dict[str, Any]:
    """Return the values of a row, its records as dictionaries."""
    return {
        each.name: [plain(record) for record in value] if _are_records(value) else value
        for each in columns(type(row))
        for value in (getattr(row, each.name),)
    }


def rounded(row: Any) -> dict[str, Any]:
    """Return the plain values of a row, its numbers rounded as tables hold them."""
    values = {}
    for each in columns(type(row)):
        value = getattr(row, each.name)
        if _are_records(value):
            value = [rounded(record) for record in value]
        elif each.decimals is not None and isinstance(value, float):
            value = round(value, each.decimals)
        values[each.name] = value
    return values


def _are_records(value: Any) -> bool:
    """Whether a value is a list of rows of another table."""
    return isinstance(value, list) and bool(value) and is_dataclass(value[0])
