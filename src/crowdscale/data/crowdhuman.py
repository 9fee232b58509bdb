"""CrowdHuman: the head boxes of photos from the web."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from crowdscale.data.layout import Reader, boxes_to_points, check_split, find_root
from crowdscale.data.protocol import Card, Protocol
from crowdscale.data.sample import Sample
from crowdscale.errors import DataError

__all__ = ["CrowdHuman"]

TREE = """
CrowdHuman/
  Images/ID.jpg …   (from CrowdHuman_train01.zip … CrowdHuman_val.zip)
  annotation_train.odgt  annotation_val.odgt
"""

PHOTOS = ("CrowdHuman_*/**/*.jpg", "Images*/**/*.jpg")
"""Where photos lie: each archive holds a folder Images, and some programs unpack each to its own folder."""


class CrowdHuman(Reader):
    """CrowdHuman: photos of people from the web, 22.6 people each, with head, visible and full boxes.

    15,000 photos to train and 4,370 to validate have labels; the 5,000 to test have none and are not read.
    A line of ``annotation_SPLIT.odgt`` is a photo as JSON: ``ID`` and ``gtboxes``, each with ``tag``, ``hbox``
    [left, top, width, height] and ``head_attr``. Only heads are read, as centres and ``sizes``; boxes tagged
    ``mask`` and heads with ``ignore`` 1 are left out. As the set's page describes. Unverified: the real files
    are not at hand here.

    Licence: non-commercial research. Where to get it: https://www.crowdhuman.org/. Citation: S. Shao et al.,
    CrowdHuman: A Benchmark for Detecting Human in a Crowd, arXiv 1805.00123, 2018.

    Args:
        root: The folder with the annotations, or the one above it.
        split: ``"train"`` or ``"val"``.

    Raises:
        DataError: A photo or an annotation is missing or damaged.
    """

    card: ClassVar[Card] = Card(
        "CrowdHuman", "19,370 labelled photos of people from the web", "boxes of heads",
        "non-commercial research", "https://www.crowdhuman.org/", "Shao et al., 2018", verified=False,
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(
        ("train", "val"), thresholds=("4px", "8px", "16px", "small", "large")
    )

    def __init__(self, root: str | Path, split: str = "train") -> None:
        self.split = check_split(self.protocol.splits, split, "CrowdHuman")
        truth = f"annotation_{split}.odgt"
        base = find_root(root, ("CrowdHuman", "crowdhuman"), (truth,), TREE)
        photos = {path.stem: path for pattern in PHOTOS for path in base.glob(pattern)}
        try:
            lines = (base / truth).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError("expected an annotation of CrowdHuman", f"{base / truth} ({error})") from error
        self.samples = [
            self._sample(line, f"line {number} of {base / truth}", photos)
            for number, line in enumerate(lines, 1)
            if line.strip()
        ]
        if not self.samples:
            raise DataError("expected an annotation of CrowdHuman", f"the empty file {base / truth}")

    def _sample(self, line: str, where: str, photos: dict[str, Path]) -> Sample:
        try:
            record: dict[str, Any] = json.loads(line)
            name, boxes = str(record["ID"]), [_head(box) for box in record["gtboxes"] if _counts(box)]
            table = np.array(boxes, dtype=np.float64).reshape(-1, 4)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"expected JSON with ID and gtboxes in {where}", f"{error!r}") from error
        if name not in photos:
            raise DataError(f"expected Images/{name}.jpg for {where}", "no such photo", "Unpack all parts")
        points, sizes = boxes_to_points(table, where)
        return Sample(name, photos[name], points, sizes, {"set": "crowdhuman", "split": self.split})


def _head(box: dict[str, Any]) -> list[float]:
    """Return left, top, width, height. Raises ValueError for another number of numbers."""
    left, top, width, height = box["hbox"]
    return [left, top, width, height]


def _counts(box: dict[str, Any]) -> bool:
    """Whether it is a person's and its head is to be counted."""
    return box.get("tag") != "mask" and not box.get("head_attr", {}).get("ignore", 0)
