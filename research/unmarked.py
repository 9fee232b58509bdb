"""Copies of annotated folders whose crowds without marks are left out of training.

    python -m research.unmarked lite data/extra/scut_b --out runs/known

People who mark heads one by one often stop where a hall grows dense. A network that trains on such photos learns to leave
out those who sit far away. Here a model that was trained on other photos finds the heads; where several of them stand
together and none is marked, the photo's annotation gets areas to ignore. They count in no loss. Single finds without a mark
stay as they are: most of them are wrong, and a network should learn that.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from scipy.spatial import cKDTree

import crowdscale
from crowdscale.data.areas import Area, Areas
from crowdscale.data.formats import Label
from crowdscale.data.formats.plain import JSON
from crowdscale.data.opening import open_dataset
from crowdscale.data.sample import Sample
from crowdscale.errors import ModelError, OptionError
from crowdscale.files.decoder import photo_size
from crowdscale.files.writing import write_atomic
from research.commands import new_app, run

__all__ = ["areas_without_marks", "unmarked"]

CELL = 4
"""Side of the cells of an ignored area, in pixels."""
USUAL = 20.0
"""Width of a head in pixels where the annotation has points alone."""
NEAR, AROUND = 0.7, 0.75
"""A find belongs to a mark within this share of its width; around a mark this share of its width is not ignored."""
SEVERAL, REACH, ALIKE, REACHED = 5, 4.0, 2.0, 1.5
"""Finds that make a crowd; how far apart they may stand, in distances between finds; how many times that of its neighbours the
distance of a find may be, which is larger where it is alone; how far the area reaches, in distances between finds."""


def unmarked(
    found: NDArray[np.float64], marks: NDArray[np.float64], widths: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which finds belong to no mark: (n, 2) finds, (m, 2) marks and their (m,) widths, all in pixels → (n,)."""
    if len(marks) == 0 or len(found) == 0:
        return np.ones(len(found), bool)
    distances, indices = cKDTree(marks).query(found, k=range(1, min(len(marks), 8) + 1))
    far: NDArray[np.bool_] = np.all(distances > NEAR * widths[indices], axis=1)
    return far


def areas_without_marks(
    found: NDArray[np.float64], marks: NDArray[np.float64], widths: NDArray[np.float64], size: tuple[int, int]
) -> list[list[int]]:
    """Return boxes [left, top, right, bottom] over crowds that a model finds and nobody marked.

    Args:
        found: (n, 2) heads of the model, x and y in pixels.
        marks: (m, 2) heads of the annotation.
        widths: (m,) their widths, in pixels.
        size: (width, height) of the photo.
    """
    if len(found) < SEVERAL:
        return []
    alone = found[unmarked(found, marks, widths)]
    if len(alone) < SEVERAL:
        return []
    apart = np.median(cKDTree(found).query(alone, k=range(2, 5))[0], axis=1)
    distances, neighbours = cKDTree(alone).query(alone, k=range(2, SEVERAL + 1))
    alike = apart <= ALIKE * np.median(np.asarray(apart)[neighbours], axis=1)
    crowd = alike & (np.asarray(distances)[:, -1] <= REACH * apart)
    width, height = size
    area = np.zeros((-(-height // CELL), -(-width // CELL)), np.uint8)
    for (x, y), d in zip(alone[crowd], apart[crowd], strict=True):
        _disc(area, x, y, REACHED * d, 1)
    for (x, y), d in zip(marks, widths, strict=True):
        _disc(area, x, y, AROUND * d, 0)
    return [
        [CELL * left, CELL * row, min(CELL * right, width), min(CELL * (row + 1), height)]
        for row, line in enumerate(area)
        for left, right in _runs(line)
    ]


def _disc(area: NDArray[np.uint8], x: float, y: float, radius: float, value: int) -> None:
    centre = (round(x / CELL), round(y / CELL))
    cv2.circle(area, centre, max(1, round(radius / CELL)), value, cv2.FILLED)


def _runs(line: NDArray[np.uint8]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], line, [0]])))
    return [(int(left), int(right)) for left, right in edges.reshape(-1, 2)]


def _write(sample: Sample, model: crowdscale.Predictor, out: Path) -> tuple[int, int]:
    """Write one photo's annotation with its areas to ignore; return its marks and the finds that nobody marked.

    Raises:
        ModelError: The model locates no heads.
    """
    assert sample.points is not None  # the caller leaves the others out
    assert JSON.write_one is not None  # the format has it
    prediction = model.predict(sample.image_path)
    if prediction.points is None:
        raise ModelError("expected a model that locates heads", "one of densities alone", "Use lite")
    heads, marks = prediction.points.xy, sample.points.xy
    widths = np.full(len(marks), USUAL) if sample.sizes is None else sample.sizes[:, 0].astype(float)
    size = photo_size(sample.image_path)
    mask = sample.mask if isinstance(sample.mask, Areas) else Areas(size)
    boxes = areas_without_marks(heads, marks, widths, size)
    added = tuple(Area.of_box(left, top, right, bottom) for left, top, right, bottom in boxes)
    label = Label(sample.points, sample.sizes, size, (*mask.ignored, *added), mask.only)
    content = JSON.write_one(sample.image_path.name, label)
    write_atomic(out / f"{sample.name}.json", lambda stream: stream.write(str(content).encode()))
    photo = out / sample.image_path.name
    if not photo.exists():
        photo.symlink_to(sample.image_path.resolve())
    return len(marks), int(unmarked(heads, marks, widths).sum())


def copy(
    model: Annotated[
        str,
        typer.Argument(
            help="A model that locates heads, by name or folder. It must know other crowds than these."
        ),
    ],
    folders: Annotated[list[Path], typer.Argument(help="Folders of photos with points.")],
    out: Annotated[Path, typer.Option(help="Where the copies go, one folder each.")],
) -> None:
    """Copy folders with areas to ignore where the model finds crowds and nobody marked them."""
    predictor = crowdscale.load(model)
    for folder in folders:
        target = out / folder.resolve().name
        if target.resolve() == folder.resolve():
            raise OptionError(
                "expected --out apart from the folders", f"{out}, which holds {folder}", "Name a new folder"
            )
        target.mkdir(parents=True, exist_ok=True)
        samples = [sample for sample in open_dataset(f"folder:{folder}").samples if sample.points is not None]
        started, marked, missed = time.monotonic(), 0, 0
        for number, sample in enumerate(samples, 1):
            marks, more = _write(sample, predictor, target)
            marked, missed = marked + marks, missed + more
            left = (time.monotonic() - started) / number * (len(samples) - number)
            print(f"\r{folder.name} {number}/{len(samples)}, {left:.0f} s left ", end="", file=sys.stderr)
        print(file=sys.stderr)
        print(f"{folder.name}: {len(samples)} photos, {marked} marks, {missed} finds without a mark")


if __name__ == "__main__":
    run(new_app(copy), "research.unmarked")
