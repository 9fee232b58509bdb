"""Folders of small photos whose people the label model knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crowdscale.files.images import write_image
from crowdscale.points import Points
from tests.support.fakes import label_photo


def heads(number: int) -> Points:
    return Points([[20 + 24 * (i % 6), 20 + 24 * (i // 6)] for i in range(number)])


def write_crowds(folder: Path, photos: int, broken: tuple[int, ...] = ()) -> dict[str, int]:
    """Write photos p000.png … with 1 to 20 people each, some of them broken; returns people by path."""
    people = {}
    for index in range(photos):
        path = folder / f"p{index:03d}.png"
        number = 1 + index % 20
        write_image(path, label_photo(heads(number), 176, 144))
        if index in broken:
            path.write_bytes(path.read_bytes()[:200])
        else:
            people[str(path)] = number
    return people


def read_counts(folder: Path) -> list[tuple[str, float]]:
    """All rows of the Parquet parts, doubled ones included."""
    from pyarrow import parquet

    rows = []
    for part in sorted((folder / "counts").glob("part-*.parquet")):
        table = parquet.read_table(part, columns=["photo", "count"]).to_pylist()
        rows += [(row["photo"], row["count"]) for row in table]
    return rows


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
