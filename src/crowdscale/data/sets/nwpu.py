"""NWPU-Crowd: photos, points and boxes (json or mat), luminance and level lists, the unlabelled test split."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from crowdscale.data.checks import check_points
from crowdscale.data.protocol import Card, Protocol, SizeLimits
from crowdscale.data.sample import Sample
from crowdscale.data.sets.layout import (
    Reader,
    check_split,
    find_root,
    load_mat,
    number_array,
    photos_by_stem,
    points_array,
)
from crowdscale.errors import DataError
from crowdscale.files.documents import Number, read_json, read_text, shaped
from crowdscale.files.matlab import read_mat
from crowdscale.points import Points

__all__ = ["NWPUCrowd"]

TREE = """
NWPU-Crowd/
  images_part1/ … images_part5/   0001.jpg … 5109.jpg   (or all in images/)
  jsons/0001.json …  mats/0001.mat …   (either will do)
  train.txt  val.txt  test.txt
"""

SPLITS = ("train", "val", "test")

SMALLEST = 1.0
"""Sides of 0 pixels, which a few boxes have, are read as this many."""

LEVELS = {"S0": (0, 0), "S1": (1, 100), "S2": (101, 500), "S3": (501, 5000), "S4": (5001, 10**9)}
"""Density levels of the benchmark."""


class NWPUCrowd(Reader):
    """NWPU-Crowd: 5,109 photos, 0 to 20,033 heads each, 2.13 million in all, 351 of them without anybody.

    3,109 photos to train, 500 to validate and 1,500 to test; **the test split has no labels** (points are
    None): its predictions go to the benchmark's server. ``jsons/NNNN.json`` holds ``points`` [[x, y], …] and
    ``boxes`` [[left, top, right, bottom], …] in the same order, ``mats/NNNN.mat`` the same as
    ``annPoints`` and ``annBoxes``. A line of ``train.txt`` and ``val.txt`` is ``NNNN luminance level``, of
    ``test.txt`` ``NNNN``. As the set's repository and paper describe. Unverified: the real files are not at
    hand here.

    Samples carry ``sizes`` where there are boxes and the attributes ``level`` (S0: nobody, S1: to 100, S2: to
    500, S3: to 5,000, S4: more) and ``luminance`` (L0: to 0.25, L1: to 0.5, L2: to 0.75).

    Protocol: kernel σ 6, longest side 2,048 and shortest 512, as AutoScale's test code has them; localization at σ_s and σ_l of the
    head's box, recall by six bands of box area (Wang et al., section 4).

    Licence: academic and non-commercial use. Where to get it: https://www.crowdbenchmark.com/nwpucrowd.html.
    Citation: Q. Wang, J. Gao, W. Lin, X. Li, NWPU-Crowd: A Large-Scale Benchmark for Crowd Counting and
    Localization, TPAMI 2020.

    Args:
        root: The folder with the lists, or the one above it.
        split: ``"train"``, ``"val"`` or ``"test"``.

    Raises:
        DataError: A list, a photo or an annotation is missing or damaged.
    """

    card: ClassVar[Card] = Card(
        "NWPU-Crowd", "5,109 photos, 0 to 20,033 heads; test without labels", "points and boxes of heads",
        "academic, non-commercial", "https://www.crowdbenchmark.com/nwpucrowd.html",
        "Wang et al., TPAMI 2020", confirmed="",
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(
        SPLITS, sigma=6.0, limits=SizeLimits(2048, 512), thresholds=("small", "large"),
        attributes=("luminance",), levels=LEVELS,
    )  # fmt: skip

    def __init__(self, root: str | Path, split: str = "train") -> None:
        self.split = check_split(self.protocol.splits, split, "NWPU-Crowd")
        base = find_root(root, ("NWPU-Crowd", "NWPU_Crowd", "NWPU"), (f"{split}.txt",), TREE)
        photos = photos_by_stem(
            path for pattern in ("images*/*", "images*/*/*") for path in base.glob(pattern)
        )
        listed = _read_list(base / f"{split}.txt")
        lacking = [name for name in listed if name not in photos]
        if lacking:
            raise DataError(
                f"expected a photo images*/NNNN.jpg for each line of {base / f'{split}.txt'}",
                f"{len(lacking)} without: {', '.join(lacking[:5])}",
                "Unpack all five parts of the photos",
            )
        self.samples = [self._sample(base, name, photos[name], words) for name, words in listed.items()]

    def _sample(self, base: Path, name: str, photo: Path, words: list[str]) -> Sample:
        about = {"set": "nwpu", "split": self.split}
        if words:
            about["luminance"] = f"L{words[0]}"
        labels = _read_labels(base, name)
        if labels is None:
            if self.split != "test":
                raise DataError(f"expected jsons/{name}.json or mats/{name}.mat in {base}", "neither")
            return Sample(name, photo, None, attributes=about)
        points, sizes = labels
        return Sample(name, photo, points, sizes, {**about, "level": self.protocol.level(len(points))})


def _read_list(path: Path) -> dict[str, list[str]]:
    """Return the words after each photo's name, in the list's order."""
    lines = read_text(path).splitlines()
    listed: dict[str, list[str]] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        name = words[0].removesuffix(".jpg") if words else ""
        if name in listed:
            raise DataError(f"expected each photo once in {path}", f"{name} again in line {number}")
        if name:
            listed[name] = words[1:]
    if not listed:
        raise DataError("expected a list of NWPU-Crowd's photos", f"the empty file {path}")
    return listed


def _read_labels(base: Path, name: str) -> tuple[Points, NDArray[np.float64] | None] | None:
    """Return points and box sizes from whichever file there is; None where there is none."""
    plain, mat = base / "jsons" / f"{name}.json", base / "mats" / f"{name}.mat"
    if plain.is_file():
        content = shaped(read_json(plain), _Labels, "annotation of NWPU-Crowd with points", plain)
        return _labels(plain, content.points, content.boxes)
    if mat.is_file():
        points = load_mat(mat, "annPoints", "an annotation of NWPU-Crowd")
        boxes = read_mat(mat).get("annBoxes")  # the first release had points alone
        return _labels(mat, points, None if boxes is None else number_array(boxes, mat))
    return None


class _Labels(msgspec.Struct):
    points: list[tuple[Number, Number]]
    boxes: list[tuple[Number, Number, Number, Number]] | None = None


def _labels(path: Path, points: Any, boxes: Any) -> tuple[Points, NDArray[np.float64] | None]:
    """Return the points and the sizes of their boxes; sides of 0 pixels are read as 1, as in JHU-Crowd++."""
    xy = check_points(points_array(points, path), None, path)
    if boxes is None:
        return xy, None
    corners = np.asarray(boxes, dtype=np.float64)
    corners = corners.reshape(-1, 4) if corners.size % 4 == 0 else np.zeros((0, 4))
    if len(corners) != len(xy):
        raise DataError(f"expected a box for each of {len(xy)} points in {path}", f"{len(corners)}")
    sizes = corners[:, 2:] - corners[:, :2]
    flat = np.flatnonzero(~(sizes >= 0).all(axis=1))
    if len(flat):
        raise DataError(
            f"expected boxes left top right bottom in {path}",
            f"{len(flat)} with swapped corners, the first is box {flat[0] + 1}: {corners[flat[0]].tolist()}",
            "Correct it, or unpack the set again",
        )
    return xy, np.maximum(sizes, SMALLEST)
