"""SCUT-HEAD: heads in classrooms (part A) and from the web (part B), as Pascal VOC boxes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from crowdscale.data.formats.vocxml import read_voc_boxes
from crowdscale.data.protocol import Card, Protocol
from crowdscale.data.sample import Sample
from crowdscale.data.sets.layout import Reader, boxes_to_points, check_split, find_root, photos_by_stem
from crowdscale.errors import DataError, unknown_name
from crowdscale.files.documents import read_text
from crowdscale.points import Points

__all__ = ["SCUTHead"]

TREE = """
SCUT_HEAD_Part_A/  JPEGImages/NAME.jpg  Annotations/NAME.xml  ImageSets/Main/{train,val,trainval,test}.txt
SCUT_HEAD_Part_B/  …
"""

PARTS = ("A", "B")

_LOG = logging.getLogger(__name__)


class SCUTHead(Reader):
    """SCUT-HEAD: 4,405 photos with 111,251 head boxes; part A from classroom cameras, part B from the web.

    Part A has 2,000 photos (1,500 to train, 500 to test), part B 2,405 (1,905 and 500). Each part is a
    Pascal VOC folder. Points are the boxes' centres, ``sizes`` their width and height. A few boxes of the set
    have no width or height (its issue 4); they are left out. As the set's page describes. The annotations were
    confirmed on the real files. A copy in circulation lacks ``ImageSets``: all its photos are read as ``trainval``, and
    a note is logged. Not confirmed: the lists, and whether the first pixel is 0, as assumed, or 1.

    Licence: for research. Where to get it: https://github.com/HCIILAB/SCUT-HEAD-Dataset-Release. Citation: D.
    Peng et al., Detecting Heads using Feature Refine Net and Cascaded Multi-scale Architecture, ICPR 2018.

    Args:
        root: The folder that holds the parts, or a part's own folder.
        split: ``"trainval"``, ``"train"``, ``"val"`` or ``"test"``.
        part: ``"A"``, ``"B"``, or ``""`` for every part that is there.

    Raises:
        DataError: A list, a photo or an annotation is missing or damaged.
    """

    card: ClassVar[Card] = Card(
        "SCUT-HEAD", "4,405 photos of classrooms and from the web, 111,251 heads", "boxes of heads", "research",
        "https://github.com/HCIILAB/SCUT-HEAD-Dataset-Release", "Peng et al., ICPR 2018", confirmed="the annotations",
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(
        ("trainval", "train", "val", "test"), thresholds=("4px", "8px", "16px", "small", "large")
    )

    def __init__(self, root: str | Path, split: str = "trainval", part: str = "") -> None:
        self.split = check_split(self.protocol.splits, split, "SCUT-HEAD")
        if part not in ("", *PARTS):
            raise unknown_name("part of SCUT-HEAD", part, PARTS)
        self.samples = [sample for folder in _part_folders(root, part) for sample in self._read(folder)]
        if part:
            _check_part(self.samples, part, root)

    def _read(self, folder: Path) -> list[Sample]:
        path = folder / "ImageSets" / "Main" / f"{self.split}.txt"
        if not (folder / "ImageSets").exists():
            return self._read_without_lists(folder)
        if not path.is_file():
            raise DataError("expected a list of SCUT-HEAD's photos", f"no file at {path}")
        names = read_text(path).split()
        if not names:
            raise DataError("expected a list of SCUT-HEAD's photos", f"the empty file {path}")
        return [self._sample(folder, name) for name in names]

    def _read_without_lists(self, folder: Path) -> list[Sample]:
        """Return all photos of a copy without lists, and log that. Raises DataError for a part of them."""
        if self.split != self.protocol.splits[0]:
            raise DataError(
                f"{folder} has no ImageSets, so that its split {self.split} is unknown", "",
                f"Read all photos as {self.protocol.splits[0]}, or get the release with its lists",
            )  # fmt: skip
        names = sorted(photos_by_stem((folder / "JPEGImages").iterdir()))
        _LOG.warning(
            "%s has no ImageSets: all %d photos are read, those to test as well.", folder, len(names)
        )
        return [self._sample(folder, name) for name in names]

    def _sample(self, folder: Path, name: str) -> Sample:
        photo, truth = folder / "JPEGImages" / f"{name}.jpg", folder / "Annotations" / f"{name}.xml"
        for path in (photo, truth):
            if not path.is_file():
                raise DataError(f"expected {path.name} in {path.parent}", "no such file", "Unpack it again")
        points, sizes = _heads(read_voc_boxes(truth), truth)
        about = {"set": "scuthead", "split": self.split, "part": _part(folder, name)}
        return Sample(name, photo, points, sizes, about)


def _part_folders(root: str | Path, part: str) -> list[Path]:
    """Return the folders of the part, or of each part that is there."""
    names = [f"SCUT_HEAD_Part_{letter}" for letter in (part or "".join(PARTS))]
    folders = [Path(root) / name for name in names if (Path(root) / name).is_dir()]
    return folders or [find_root(root, tuple(names), ("JPEGImages",), TREE)]


def _check_part(samples: list[Sample], part: str, root: str | Path) -> None:
    """Raise DataError where a sample is of another part."""
    strange = next((sample for sample in samples if sample.attributes["part"] != part), None)
    if strange is not None:
        raise DataError(
            f"expected part {part} of SCUT-HEAD in {root}",
            f"{strange.name}, which is of part {strange.attributes['part']}",
            "Name the folder that holds both parts, or ask for the other one",
        )


def _heads(boxes: NDArray[np.float64], path: Path) -> tuple[Points, NDArray[np.float64]]:
    """Return centres and sizes of the (n, 4) boxes that have a size; a negative one is an error."""
    empty = (boxes[:, 2:] == 0).any(axis=1)
    # An empty box keeps its place, so that an error numbers the others as the file does.
    whole = np.where(empty[:, None], 1, boxes)
    points, sizes = boxes_to_points(whole, path)
    return points.select(~empty), sizes[~empty]


def _part(folder: Path, name: str) -> str:
    """Return the part of a photo PartA_00001, or of any other in a folder that keeps its own name."""
    return name[4] if name.startswith(("PartA", "PartB")) else folder.resolve().name[-1]
