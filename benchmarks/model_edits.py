"""Edited descriptions of a model: ``python -m benchmarks.model_edits``.

Each value of a bundled ``model.json``, at any depth, is replaced by values of other types and sizes. An edit must be
refused in one sentence when the model is read, or the model must count a photo: a finite number of at least 0. Printed
are the numbers of both, of edits that are refused only in prediction, and of other outcomes with the edit.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crowdscale.counting.predictor import Predictor, load
from crowdscale.errors import CrowdscaleError
from crowdscale.models.description import DESCRIPTION, read_config
from crowdscale.models.finding import BUNDLED

VALUES: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 3, 0.5, 1.5, -0.25, 1e308, -1e308, 10**30, "", "x", "1", [], {}, [1], [[1, 2]], {"x": 1},
)  # fmt: skip
"""Values in the place of any other."""

LEFT_OUT = ("training", "notes", "files")
"""Parts that no prediction reads; sha256 of files are compared when a model is read."""

FEWEST = 12
"""Lists of more values are edited at their ends alone."""


def edits(content: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield (place, whole content) with one value replaced."""
    for value in VALUES:
        if type(value) is not type(content) or value != content:
            yield ".".join(map(str, path)), value
    if isinstance(content, dict):
        for key, inner in content.items():
            if path or key not in LEFT_OUT:
                yield from edits(inner, (*path, key))
    elif isinstance(content, list):
        for index in range(len(content)) if len(content) <= FEWEST else (0, len(content) - 1):
            yield from edits(content[index], (*path, index))


def replaced(content: Any, path: list[str], value: Any) -> Any:
    """Return plain values with the one at a place replaced."""
    if not path:
        return value
    if isinstance(content, dict):
        return {**content, path[0]: replaced(content[path[0]], path[1:], value)}
    index = int(path[0])
    return [*content[:index], replaced(content[index], path[1:], value), *content[index + 1 :]]


def outcome(folder: Path, pixels: np.ndarray) -> str:
    """Return what happens to a photo under the description in a folder."""
    try:
        read_config(folder, verify=False)
    except CrowdscaleError:
        return "refused when read"
    try:
        predictor: Predictor = load(folder, threads=1)
        prediction = predictor.predict(pixels)
        interval = prediction.interval() if prediction.calibration else (0, 1)
    except CrowdscaleError:
        return "refused in prediction"
    sound = math.isfinite(prediction.count) and prediction.count >= 0
    if interval is not None:
        sound = sound and 0 <= interval[0] <= interval[1] < 10**9
    return "counted" if sound else "other"


def main() -> int:
    """Print a line an outcome; return 1 where an edit had another one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nano", choices=sorted(BUNDLED))
    parser.add_argument("--every", type=int, default=1, help="try one of so many edits")
    parser.add_argument("--offset", type=int, default=0, help="number of the first edit")
    options = parser.parse_args()
    content = json.loads((BUNDLED[options.model] / DESCRIPTION).read_text())
    pixels = np.random.default_rng(0).integers(0, 256, (90, 130, 3), np.uint8)
    counts = Counter[str]()
    warnings.simplefilter("error")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / options.model
        shutil.copytree(BUNDLED[options.model], folder)
        for number, (place, value) in enumerate(edits(content)):
            if number % options.every != options.offset:
                continue
            (folder / DESCRIPTION).write_text(
                json.dumps(replaced(content, place.split(".") if place else [], value))
            )
            try:
                result = outcome(folder, pixels)
            except Exception:
                result = "other"
                print(traceback.format_exc(limit=-2), file=sys.stderr)
            counts[result] += 1
            if result == "other":
                print(f"{place} = {str(value)[:60]}", file=sys.stderr, flush=True)
    for result, number in counts.most_common():
        print(f"{result:24} {number:6}")
    return 1 if counts["other"] else 0


if __name__ == "__main__":
    sys.exit(main())
