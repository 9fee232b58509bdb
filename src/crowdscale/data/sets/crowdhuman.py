"""CrowdHuman: the head boxes of photos from the web."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import msgspec
import numpy as np

from crowdscale.data.areas import Area, Areas
from crowdscale.data.protocol import Card, Protocol
from crowdscale.data.sample import Sample
from crowdscale.data.sets.layout import Reader, boxes_to_points, check_split, find_root
from crowdscale.errors import DataError
from crowdscale.files.documents import Number, Whole, parse_json, read_text, shaped

__all__ = ["CrowdHuman"]

TREE = """
CrowdHuman/
  Images/ID.jpg …       (from CrowdHuman_train01.zip … CrowdHuman_val.zip)
  images_test/ID.jpg …  (from CrowdHuman_test.zip)
  annotation_train.odgt  annotation_val.odgt
"""

PHOTOS = ("CrowdHuman_*/**/*.jpg", "Images*/**/*.jpg")
"""Where photos lie: each archive holds a folder Images, and some programs unpack each to its own folder."""

TEST = ("CrowdHuman_test", "images_test", "Images_test")
"""Where the photos of the test split lie, which no file lists."""


class CrowdHuman(Reader):
    """CrowdHuman: photos of people from the web, 22.6 people each, with head, visible and full boxes.

    15,000 photos to train and 4,370 to validate have labels; the 5,000 to test have none (points are None).
    A line of ``annotation_SPLIT.odgt`` is a photo as JSON: ``ID`` and ``gtboxes``, each with ``tag``, ``hbox``
    [left, top, width, height], ``head_attr`` and ``extra``. Only heads are read, as centres and ``sizes``;
    boxes tagged ``mask`` (no people, or crowds) and heads with ``ignore`` 1 in ``head_attr`` or ``extra`` are
    left out, and their places are ignored (``sample.mask``). As the set's page describes. Unverified: the real files are not at hand here, nor the name of the
    folder to which the test photos unpack.

    Licence: non-commercial research. Where to get it: https://www.crowdhuman.org/. Citation: S. Shao et al.,
    CrowdHuman: A Benchmark for Detecting Human in a Crowd, arXiv 1805.00123, 2018.

    Args:
        root: The folder with the annotations, or the one above it.
        split: ``"train"``, ``"val"`` or ``"test"``.
        ignored: Read ignored heads that have a size too; ``fields["ignore"]`` of a sample is then 1 for them, and
            nothing is masked.

    Raises:
        DataError: A photo or an annotation is missing or damaged.
    """

    card: ClassVar[Card] = Card(
        "CrowdHuman", "19,370 labelled photos of people from the web", "boxes of heads",
        "non-commercial research", "https://www.crowdhuman.org/", "Shao et al., 2018", confirmed="",
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(
        ("train", "val", "test"), thresholds=("4px", "8px", "16px", "small", "large")
    )

    def __init__(self, root: str | Path, split: str = "train", ignored: bool = False) -> None:
        self.split = check_split(self.protocol.splits, split, "CrowdHuman")
        self.ignored = ignored
        has = TEST if split == "test" else (f"annotation_{split}.odgt",)
        base = find_root(root, ("CrowdHuman", "crowdhuman"), has, TREE)
        self.samples = self._unlabelled(base) if split == "test" else self._labelled(base, base / has[0])

    def _unlabelled(self, base: Path) -> list[Sample]:
        photos = {path.stem: path for folder in TEST for path in base.glob(f"{folder}/**/*.jpg")}
        if not photos:
            raise DataError(f"expected photos ID.jpg in {' or '.join(TEST)} in {base}", "none")
        about = {"set": "crowdhuman", "split": self.split}
        return [Sample(name, photos[name], None, attributes=about) for name in sorted(photos)]

    def _labelled(self, base: Path, truth: Path) -> list[Sample]:
        photos = {path.stem: path for pattern in PHOTOS for path in base.glob(pattern)}
        samples = [
            self._sample(line, f"line {number} of {truth}", photos)
            for number, line in enumerate(read_text(truth).split("\n"), 1)
            if line.strip()
        ]
        if not samples:
            raise DataError("expected an annotation of CrowdHuman", f"the empty file {truth}")
        return samples

    def _sample(self, line: str, where: str, photos: dict[str, Path]) -> Sample:
        record = shaped(parse_json(line, where), _Record, "JSON with ID and gtboxes", where)
        name, boxes = str(record.ID), record.gtboxes
        ignore = np.array([_is_ignored(box) for box in boxes], dtype=bool)
        kept = np.array([self._reads(box) for box in boxes], dtype=bool)
        heads = [_head(box, where) if keep else BLANK for box, keep in zip(boxes, kept, strict=True)]
        table = np.array(heads, dtype=np.float64).reshape(-1, 4)
        if name not in photos:
            raise DataError(f"expected Images/{name}.jpg for {where}", "no such photo", "Unpack all parts")
        points, sizes = boxes_to_points(table, where)
        about = {"set": "crowdhuman", "split": self.split}
        fields = {"ignore": ignore[kept].astype(np.float64)} if self.ignored else {}
        areas = () if self.ignored else tuple(area for box in boxes if (area := _area(box)) is not None)
        mask = Areas(photos[name], ignored=areas) if areas else None
        return Sample(name, photos[name], points.select(kept), sizes[kept], about, mask=mask, fields=fields)

    def _reads(self, box: _Box) -> bool:
        """Whether a box is a person's, with a head to read."""
        if box.tag == "mask":
            return False
        return not _is_ignored(box) or (self.ignored and box.hbox is not None and min(box.hbox[2:]) > 0)


BLANK = (0.0, 0.0, 1.0, 1.0)
"""Stands for a box that is not read, so that an error numbers the others as the file does."""


class _Flags(msgspec.Struct):
    ignore: Whole | None = 0


class _Box(msgspec.Struct):
    tag: str | None = None
    hbox: tuple[Number, Number, Number, Number] | None = None
    fbox: tuple[Number, Number, Number, Number] | None = None
    head_attr: _Flags | None = None
    extra: _Flags | None = None


class _Record(msgspec.Struct):
    ID: str | Whole
    gtboxes: list[_Box]


def _head(box: _Box, where: str) -> tuple[float, float, float, float]:
    """Return left, top, width, height. Raises DataError for a person without a head box."""
    if box.hbox is None:
        raise DataError(f"expected hbox of each person in {where}", "none")
    return box.hbox


def _is_ignored(box: _Box) -> bool:
    """Whether the set says to ignore the head, or the whole person."""
    return any(flags is not None and bool(flags.ignore) for flags in (box.head_attr, box.extra))


def _area(box: _Box) -> Area | None:
    """Return the place of a box to ignore: all of a mask, the head of a person; None where it has none."""
    if box.tag != "mask" and not _is_ignored(box):
        return None
    place = box.fbox if box.tag == "mask" else box.hbox
    if place is None or min(place[2:]) <= 0:
        return None
    left, top, width, height = place
    return Area.of_box(left, top, left + width, top + height)
