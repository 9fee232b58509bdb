"""Little drawn crowds for the trainer's tests: discs on noise, with exact points."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from crowdscale.data.sample import Sample
from crowdscale.files.images import write_image
from crowdscale.points import Points
from tests.support.layouts import write_mat


def draw(width: int, height: int, people: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (pixels, xy) of a crowd."""
    random = np.random.default_rng(seed)
    pixels = random.integers(60, 120, (height, width, 3)).astype(np.uint8)
    xy = np.column_stack([random.uniform(4, width - 5, people), random.uniform(4, height - 5, people)])
    for x, y in xy:
        cv2.circle(pixels, (round(x), round(y)), 3, (230, 190, 170), -1)
    return pixels, xy


def write_folder(root: Path, people: list[int], size: tuple[int, int] = (160, 128)) -> list[Sample]:
    """Write photos with sibling CSV files, as a user keeps his own; returns the samples."""
    samples = []
    for index, number in enumerate(people):
        pixels, xy = draw(*size, number, index)
        path = root / f"photo_{index}.png"
        write_image(path, pixels)
        path.with_suffix(".csv").write_text("x,y\n" + "".join(f"{x:.3f},{y:.3f}\n" for x, y in xy))
        samples.append(Sample(path.stem, path, Points(xy), attributes={"set": "folder"}))
    return samples


def write_part(
    root: Path, part: str, split: str, people: list[int], size: tuple[int, int] = (96, 64)
) -> None:
    """Write a split of ShanghaiTech's layout with drawn crowds, the photos numbered from 3."""
    base = root / f"part_{part}" / f"{split}_data"
    for number, count in enumerate(people, 3):
        pixels, xy = draw(*size, count, 100 * (split == "test") + number)
        write_image(base / "images" / f"IMG_{number}.jpg", pixels)
        write_mat(base / "ground-truth" / f"GT_IMG_{number}.mat", xy)
