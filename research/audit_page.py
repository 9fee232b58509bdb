"""The tables of docs/audit.md, from the results of ``python -m research.audits``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["tables", "write_page"]

BEGIN, END = "<!-- measured -->", "<!-- /measured -->"

SETS = {
    "held": "six sets, held out",
    "ucf": "UCF_CC_50, very dense",
    "sha": "ShanghaiTech A, train",
    "shb": "ShanghaiTech B, train",
}
QUALITIES = {
    "lite-full": "`lite`",
    "nano-full": "`nano`",
    "nano-half": "`nano`, photos at half size, first pass",
}


def write_page(results: Path, page: Path) -> None:
    """Write the tables between the marks of the page."""
    from crowdscale.files.writing import write_atomic

    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    whole = f"{before}{BEGIN}\n\n{tables(results)}\n{END}{after}"
    write_atomic(page, lambda stream: stream.write(whole.encode()))


def tables(results: Path) -> str:
    """Return all tables as Markdown."""
    measured = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))
    }
    parts = [
        "### One photo",
        _photos(measured),
        "### Stopping as soon as ±10 % is reached, from the eighth tile on",
        _stops(measured),
        "### A folder of 30 photos, tiles drawn across all",
        _folders(measured),
        "### Drawn crowds, models that are wrong on purpose",
        _bad(measured["bad"]),
    ]
    return "\n\n".join(parts) + "\n"


def _is_photo(row: dict[str, Any]) -> bool:
    """Return whether a row is of single photos after a number of tiles."""
    return not row.keys() & {"folder_of", "stop"}


def _cases(results: dict[str, Any]) -> Iterable[tuple[str, str, list[dict[str, Any]]]]:
    for data, data_name in SETS.items():
        for quality, name in QUALITIES.items():
            if f"{data}-{quality}" in results:
                yield data_name, name, results[f"{data}-{quality}"]["rows"]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _percent(value: float, decimals: int = 1) -> str:
    return f"{100 * value:.{decimals}f} %"


def _coverage(row: dict[str, Any]) -> str:
    return f"{100 * row['coverage']:.1f} ± {100 * row['coverage_error']:.1f} %"


def _photos(results: dict[str, Any]) -> str:
    head = (
        "photos", "model", "tiles", "90 % intervals that hold", "relative error", "of the model alone",
        "half-width, mean", "median", "people counted",
    )  # fmt: skip
    rows = [
        (
            f"{data} ({row['photos']})", name, row["tiles"], _coverage(row),
            _percent(row["error"]), _percent(row["model_error"]), _percent(row["half_width"]),
            _percent(row["median_half_width"]), _percent(row["clicked"], 0),
        )
        for data, name, rows in _cases(results)
        for row in rows
        if _is_photo(row)
    ]  # fmt: skip
    return _table(head, rows)


def _stops(results: dict[str, Any]) -> str:
    rows = [
        (data, name, _coverage(row), f"{row['tiles']:.1f}")
        for data, name, rows in _cases(results)
        for row in rows
        if "stop" in row
    ]
    return _table(("photos", "model", "90 % intervals that hold", "tiles, mean"), rows)


def _folders(results: dict[str, Any]) -> str:
    rows = [
        (
            data, name, row["photos"], row["tiles"], _percent(row["coverage"]), _percent(row["error"]),
            _percent(row["half_width"]), _percent(row["clicked"], 0),
        )
        for data, name, rows in _cases(results)
        for row in rows
        if "folder_of" in row
    ]  # fmt: skip
    head = (
        "photos", "model", "folders", "tiles", "90 % intervals that hold", "relative error", "half-width, mean",
        "people counted",
    )  # fmt: skip
    return _table(head, rows)


def _bad(results: dict[str, Any]) -> str:
    head = ("model", "tiles", "of", "bias", "its standard error", "spread", "90 % intervals that hold")
    rows = [
        (
            row["model"], row["tiles"], row["cells"], f"{100 * row['bias']:+.2f} %", _percent(row["bias_error"], 2),
            _percent(row["spread"]), _percent(row["coverage"]),
        )
        for row in results["rows"]
    ]  # fmt: skip
    return _table(head, rows)
