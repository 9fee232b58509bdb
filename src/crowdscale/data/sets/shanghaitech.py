"""ShanghaiTech parts A and B: the folders and .mat files of the release to samples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from crowdscale.data.checks import check_points, is_outside, photo_size
from crowdscale.data.formats.mat import points_of_mat
from crowdscale.data.protocol import Card, Protocol
from crowdscale.data.sample import Sample
from crowdscale.data.sets.layout import Reader, what_is
from crowdscale.errors import DataError, unknown_name
from crowdscale.files.matlab import read_mat
from crowdscale.points import Points

__all__ = ["LEAKED", "NEAR_DUPLICATES", "ShanghaiTech"]

LEAKED = frozenset({"IMG_2", "IMG_60", "IMG_97", "IMG_121", "IMG_139", "IMG_154"})
"""Photos of part A's training split that are near-identical to its test photos 173, 40, 142, 98, 82, 181."""

NEAR_DUPLICATES = frozenset({"sha/IMG_167", "sha/IMG_169"})
"""Photos of part A's training split that are near-identical to each other: keep them on one side of a split."""

PART_TOTALS = {
    "A": {241_677: "2015", 241_275: "2016"},
    "B": {88_488: "2015", 88_272: "2016"},
}
"""Heads of both splits together. The 2015 ones are those of the paper; 2016 took away the 618 heads
outside their photo, 402 in A (counted) and so 216 in B."""

SPLIT_TOTALS = {
    ("A", "train"): {162_707: "2015", 162_413: "2016"},
    ("A", "test"): {78_970: "2015", 78_862: "2016"},
    ("B", "train"): {49_151: "2016"},
    ("B", "test"): {39_121: "2016"},
}
"""Heads of each split: 2016 counted, but for B test, which follows from the part's total like 2015's A train.
How the 216 heads of B fall on its splits is not known; ``PART_TOTALS`` decides there."""

SPELLINGS = ("part_{}", "part_{}_final")
ANNOTATION_FOLDERS = ("ground-truth", "ground_truth")
SPLITS = ("train", "test")

TREE = """
ShanghaiTech/
  part_A/  train_data/  images/IMG_1.jpg …  ground-truth/GT_IMG_1.mat …
           test_data/   …
  part_B/  …
"""

SOURCE = "Get the set from its authors (https://github.com/desenzhou/ShanghaiTechDataset)"


class ShanghaiTech(Reader):
    """ShanghaiTech: 1,198 photos of crowds from the web (part A) and from streets of Shanghai (part B).

    Part A has 300 photos to train and 182 to test, part B 400 and 316 (all 1024×768). Points are (x, y)
    as the release has them, those outside their photo included (see ``count_outside``).

    Six photos of A's training split are near-identical to photos of its test split (``LEAKED``), so
    **they are left out of A's training split** (294 photos remain) unless ``leaked`` is set.

    Licence: for research only; the photos belong to their owners. Where to get it: the authors' page,
    https://github.com/desenzhou/ShanghaiTechDataset. Citation: Y. Zhang, D. Zhou, S. Chen, S. Gao, Y. Ma,
    Single-Image Crowd Counting via Multi-Column Convolutional Neural Network, CVPR 2016.

    Args:
        root: The folder that holds ``part_A`` (or ``part_A_final``), or that part's own folder.
        part: ``"A"`` or ``"B"``.
        split: ``"train"`` or ``"test"``.
        leaked: Keep the six leaked photos in A's training split.

    Raises:
        DataError: A folder, a photo or an annotation is missing or damaged.
    """

    card: ClassVar[Card] = Card(
        "ShanghaiTech", "1,198 photos of crowds: A from the web, B from streets of Shanghai",
        "points on heads", "research", "https://github.com/desenzhou/ShanghaiTechDataset",
        "Zhang et al., CVPR 2016", confirmed="all files",
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(SPLITS, sigma=4.0)
    protocols: ClassVar[dict[str, Protocol]] = {"A": protocol, "B": Protocol(SPLITS, sigma=8.0)}
    """The protocol of each part: their kernels differ."""

    def __init__(self, root: str | Path, part: str = "A", split: str = "train", leaked: bool = False) -> None:
        if part not in PART_TOTALS:
            raise unknown_name("part of ShanghaiTech", part, PART_TOTALS)
        if split not in SPLITS:
            raise unknown_name("split of ShanghaiTech", split, SPLITS)
        self.part, self.split = part, split
        self._folder = _part_folder(Path(root), part)
        everyone = _read_split(self._folder, part, split)
        self._heads = sum(_count(sample) for sample in everyone)
        drop = LEAKED if (part, split) == ("A", "train") and not leaked else frozenset()
        self.samples = [sample for sample in everyone if sample.name not in drop]

    @property
    def release(self) -> str:
        """The release of the annotations by their total: ``"2015"``, ``"2016"`` or ``"unknown"``.

        The total is that of the whole split, whether or not the leaked photos are left out.
        """
        release = SPLIT_TOTALS[self.part, self.split].get(self._heads)
        return release or PART_TOTALS[self.part].get(self._heads + self._other_heads(), "unknown")

    def count_outside(self) -> int:
        """Return how many points lie outside their photo; opens each photo's header."""
        pairs = ((sample.points, photo_size(sample.image_path)) for sample in self.samples)
        return sum(int(is_outside(points, size).sum()) for points, size in pairs if points is not None)

    def _other_heads(self) -> int:
        """Heads of the other split; 0 where it is not on this disk or cannot be read."""
        other = "test" if self.split == "train" else "train"
        try:
            return sum(_count(sample) for sample in _read_split(self._folder, self.part, other))
        except DataError:
            return 0


def _count(sample: Sample) -> int:
    return 0 if sample.points is None else len(sample.points)


def _part_folder(root: Path, part: str) -> Path:
    """Return the part's folder: one under ``root``, or ``root`` itself unless its name is another part's."""
    names = [spelling.format(part) for spelling in SPELLINGS]
    for name in names:
        if (root / name).is_dir():
            return root / name
    others = [spelling.format(other) for spelling in SPELLINGS for other in PART_TOTALS if other != part]
    if root.resolve().name not in others and any((root / f"{split}_data").is_dir() for split in SPLITS):
        return root
    raise DataError(
        f"expected {' or '.join(names)} in {root}, or that folder itself",
        what_is(root),
        f"{SOURCE}. It unpacks to:\n{TREE.strip()}\n",
    )


def _read_split(folder: Path, part: str, split: str) -> list[Sample]:
    """Return all samples of a split, sorted by the photo's number; reads annotations, not photos."""
    base = folder / f"{split}_data"
    if not base.is_dir():
        raise DataError(
            f"expected the folder {base}", what_is(folder), "Check that the set was unpacked in full"
        )
    photos = _numbered(_subfolder(base, ("images",)), r"IMG_(\d+)\.jpe?g", "photos IMG_n.jpg")
    truths = _numbered(_subfolder(base, ANNOTATION_FOLDERS), r"GT_IMG_(\d+)\.mat", "annotations GT_IMG_n.mat")
    _check_pairs(base, set(photos), set(truths))
    attributes = {"set": f"sh{part.lower()}", "part": part, "split": split}
    return [
        Sample(f"IMG_{number}", photos[number], _read_points(truths[number]), attributes=attributes)
        for number in sorted(photos)
    ]


def _subfolder(base: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (base / name).is_dir():
            return base / name
    remedy = "Check that the set was unpacked in full"
    raise DataError(f"expected the folder {' or '.join(names)} in {base}", what_is(base), remedy)


def _numbered(folder: Path, pattern: str, what: str) -> dict[int, Path]:
    """Return the files of a folder whose whole name matches, by number."""
    matches = ((re.fullmatch(pattern, path.name, re.IGNORECASE), path) for path in folder.iterdir())
    files = {int(match[1]): path for match, path in matches if match}
    if not files:
        raise DataError(
            f"expected {what} in {folder}", what_is(folder), "Check that the set was unpacked in full"
        )
    return files


def _check_pairs(base: Path, photos: set[int], truths: set[int]) -> None:
    for lone, has, lacks in (
        (photos - truths, "photo", "an annotation (GT_IMG_n.mat)"),
        (truths - photos, "annotation", "a photo (IMG_n.jpg)"),
    ):
        if lone:
            first = ", ".join(f"IMG_{number}" for number in sorted(lone)[:5])
            raise DataError(
                f"expected {lacks} for each {has} in {base}",
                f"{len(lone)} without: {first}{' …' if len(lone) > 5 else ''}",
                "Unpack the set again, or remove what has no partner",
            )


def _read_points(path: Path) -> Points:
    """Return the points of one GT_IMG_n.mat: ``location``, however deep, or a plain array as some copies have it."""
    return check_points(
        points_of_mat(read_mat(path, "an annotation of ShanghaiTech"), path, strict=True), None, path
    )
