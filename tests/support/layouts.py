"""Generators of fake data sets in the true layout on disk, small enough to make anew in each test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

XY = Sequence[tuple[float, float]]

SIZE = (64, 48)
"""(width, height) of the fake photos."""


def write_photo(path: Path, size: tuple[int, int] = SIZE, orientation: int = 1) -> Path:
    """Write a grey gradient as a photo, with an EXIF orientation where one is asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    row = np.linspace(0, 255, size[0]).astype(np.uint8)
    image = Image.fromarray(np.tile(row, (size[1], 1))).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, exif=exif)
    return path


def write_mat(path: Path, xy: XY) -> Path:
    """Write an annotation as ShanghaiTech nests it: image_info[0,0][0,0][0] is the (n, 2) array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    inner = np.empty((1, 1), dtype=[("location", "O"), ("number", "O")])
    inner[0, 0] = (np.array(xy, dtype=np.float64), np.array([[len(xy)]], dtype=np.uint16))
    outer = np.empty((1, 1), dtype=object)
    outer[0, 0] = inner
    savemat(path, {"image_info": outer})
    return path


def write_shanghaitech(
    root: Path,
    photos: Mapping[int, XY],
    part: str = "A",
    split: str = "train",
    part_spelling: str = "part_{}",
    truth_spelling: str = "ground-truth",
) -> Path:
    """Write one split of a part under ``root`` and return the split's folder."""
    base = root / part_spelling.format(part) / f"{split}_data"
    for number, xy in photos.items():
        write_photo(base / "images" / f"IMG_{number}.jpg")
        write_mat(base / truth_spelling / f"GT_IMG_{number}.mat", xy)
    return base
