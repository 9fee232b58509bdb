"""JSON of points: NAME.json beside each photo."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from crowdscale.data.checks import check_points
from crowdscale.data.formats.label import Format, Label, Size, read_text
from crowdscale.errors import DataError

__all__ = ["JSON", "load_json", "read_json"]


def load_json(path: Path) -> Any:
    """Return what a JSON file holds. Raises DataError where it is none."""
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise DataError(
            "expected JSON", f"{path}, which cannot be read ({error})", "Correct the file"
        ) from None


def read_json(path: Path, photo_size: Callable[[], Size] | None = None) -> Label:
    """Return the label of NAME.json: [[x, y], …] or {"points": [[x, y], …], "sizes": [[width, height], …]}."""
    del photo_size
    expected = f'expected [[x, y], …] or {{"points": [[x, y], …]}} in {path}'
    try:
        content = json.loads(read_text(path))
        pairs = content["points"] if isinstance(content, dict) else content
        xy = [(float(x), float(y)) for x, y in pairs]
        sizes = content.get("sizes") if isinstance(content, dict) else None
        boxes = None if sizes is None else np.array([(float(w), float(h)) for w, h in sizes]).reshape(-1, 2)
    except KeyError:
        raise DataError(expected, "an object without 'points'") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(expected, f"something else ({error})", "Correct the file") from None
    if boxes is not None and len(boxes) != len(xy):
        raise DataError(f"expected a size for each point in {path}", f"{len(boxes)} for {len(xy)}")
    return Label(check_points(np.array(xy).reshape(-1, 2), None, path), boxes)


def _write(name: str, label: Label) -> str:
    content = {"image": name, "points": label.points.xy.tolist()}
    if label.sizes is not None:
        content["sizes"] = label.sizes.tolist()
    return json.dumps(content) + "\n"


JSON = Format(
    "json", 'NAME.json beside each photo: {"points": [[x, y], …]}', ".json", False, True, True,
    read_one=read_json, write_one=_write,
)  # fmt: skip
