"""The tables of docs/audit.md, from the results of ``python -m research.audits``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["tables", "write_page"]

BEGIN, END = "<!-- measured -->", "<!-- /measured -->"

SETS = {"ucf": "UCF_CC_50, very dense, 30", "sha": "ShanghaiTech A, train", "shb": "ShanghaiTech B, train"}
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
    found = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))
    }
    parts = [
        "### One photo",
        _photos(found),
        "All photos of the three sets together:",
        _pooled(found),
        "### Stopping as soon as ±10 % is reached, from the eighth tile on",
        _stops(found),
        "### A folder of 30 photos, tiles drawn across all",
        _folders(found),
        "### Drawn crowds, models that are wrong on purpose",
        _bad(found["bad"]),
    ]
    return "\n\n".join(parts) + "\n"


def _cases(found: dict[str, Any]) -> Iterable[tuple[str, str, list[dict[str, Any]]]]:
    for data, data_name in SETS.items():
        for quality, name in QUALITIES.items():
            yield data_name, name, found[f"{data}-{quality}"]["rows"]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _percent(value: float, decimals: int = 1) -> str:
    return f"{100 * value:.{decimals}f} %"


def _coverage(row: dict[str, Any]) -> str:
    return f"{100 * row['coverage']:.1f} ± {100 * row['coverage_error']:.1f} %"


def _photos(found: dict[str, Any]) -> str:
    head = (
        "photos", "model", "tiles", "90 % intervals that hold", "relative error", "of the model alone",
        "half-width, mean", "median", "people counted",
    )  # fmt: skip
    rows = [
        (
            f"{data} ({row['photos']})" if data != SETS["ucf"] else data, name, row["tiles"], _coverage(row),
            _percent(row["error"]), _percent(row["model_error"]), _percent(row["half_width"]),
            _percent(row["median_half_width"]), _percent(row["clicked"], 0),
        )
        for data, name, rows in _cases(found)
        for row in rows
        if "tiles" in row and "folder_of" not in row and "stop" not in row
    ]  # fmt: skip
    return _table(head, rows)


def _pooled(found: dict[str, Any]) -> str:
    rows = []
    for quality, name in QUALITIES.items():
        for tiles in (8, 10, 12, 20):
            parts = [
                row
                for data in SETS
                for row in found[f"{data}-{quality}"]["rows"]
                if row.get("tiles") == tiles and "folder_of" not in row and "stop" not in row
            ]
            photos = sum(part["photos"] for part in parts)
            mean = sum(part["photos"] * part["coverage"] for part in parts) / photos
            error = sum((part["photos"] * part["coverage_error"]) ** 2 for part in parts) ** 0.5 / photos
            rows.append((name, tiles, photos, _coverage({"coverage": mean, "coverage_error": error})))
    return _table(("model", "tiles", "photos", "90 % intervals that hold"), rows)


def _stops(found: dict[str, Any]) -> str:
    rows = [
        (data, name, _coverage(row), f"{row['tiles']:.1f}")
        for data, name, rows in _cases(found)
        for row in rows
        if "stop" in row
    ]
    return _table(("photos", "model", "90 % intervals that hold", "tiles, mean"), rows)


def _folders(found: dict[str, Any]) -> str:
    rows = [
        (
            data, name, row["photos"], row["tiles"], _percent(row["coverage"]), _percent(row["error"]),
            _percent(row["half_width"]), _percent(row["clicked"], 0),
        )
        for data, name, rows in _cases(found)
        for row in rows
        if "folder_of" in row
    ]  # fmt: skip
    head = (
        "photos", "model", "folders", "tiles", "90 % intervals that hold", "relative error", "half-width, mean",
        "people counted",
    )  # fmt: skip
    return _table(head, rows)


def _bad(found: dict[str, Any]) -> str:
    head = ("model", "tiles", "of", "bias", "its standard error", "spread", "90 % intervals that hold")
    rows = [
        (
            row["model"], row["tiles"], row["cells"], f"{100 * row['bias']:+.2f} %", _percent(row["bias_error"], 2),
            _percent(row["spread"]), _percent(row["coverage"]),
        )
        for row in found["rows"]
    ]  # fmt: skip
    return _table(head, rows)
