"""The field's point files: one image a line, ``id n x y …``, so that anyone's predictions can be scored."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from crowdscale.errors import DataError
from crowdscale.images import write_atomic
from crowdscale.points import Points

__all__ = ["read_points", "read_truth", "write_points"]


def read_points(path: str | os.PathLike[str]) -> dict[int, Points]:
    """Return the points by image id of a prediction file: ``id n`` and n times ``x y`` a line.

    Raises:
        DataError: The file cannot be read, or a line does not hold what it announces.
    """
    return _read(path, 2)


def read_truth(path: str | os.PathLike[str]) -> dict[int, Points]:
    """Return the points by image id of a ground-truth file: n times ``x y σ_small σ_large level``.

    Raises:
        DataError: The file cannot be read, or a line does not hold what it announces.
    """
    return _read(path, 5)


def _read(path: str | os.PathLike[str], width: int) -> dict[int, Points]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("expected a text file of points", f"{path} ({error})") from error
    images: dict[int, Points] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        try:
            name, announced = int(words[0]), int(words[1])
            values = np.array(words[2:], float).reshape(announced, width)
        except (ValueError, IndexError):
            raise DataError(
                f"expected `id n` and n times {width} numbers",
                f"{len(words)} words in line {number} of {path}",
            ) from None
        if name in images:
            raise DataError("expected each image once", f"{name} again in line {number} of {path}")
        images[name] = Points(values[:, :2])
    return images


def write_points(path: str | os.PathLike[str], images: Mapping[int, Points]) -> None:
    """Write points by image id as a prediction file, atomically."""
    lines = []
    for name, points in sorted(images.items()):
        numbers = " ".join(f"{x:.2f} {y:.2f}" for x, y in points.xy)
        lines.append(f"{name} {len(points)} {numbers}".rstrip())
    text = "".join(f"{line}\n" for line in lines).encode()
    write_atomic(Path(path), lambda stream: stream.write(text))
