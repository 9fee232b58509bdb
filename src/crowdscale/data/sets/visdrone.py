"""VisDrone-CC: crowds from drones."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from crowdscale.data.checks import check_points
from crowdscale.data.protocol import Card, Protocol
from crowdscale.data.sample import Sample
from crowdscale.data.sets.layout import Reader, check_split, find_root, read_rows
from crowdscale.errors import DataError
from crowdscale.files.documents import read_text

__all__ = ["VisDroneCC"]

TREE = """
VisDrone2020-CC/
  sequences/00001/00001.jpg …
  annotations/00001.txt …      (frame,x,y a head)
  trainlist.txt  testlist.txt  (a sequence a line)
"""

LISTS = {"train": "trainlist.txt", "test": "testlist.txt"}


class VisDroneCC(Reader):
    """VisDrone-CC 2020: 112 sequences of 30 frames (1920×1080) from drones, 82 to train and 30 to test.

    A line of ``annotations/SSSSS.txt`` is a head: ``frame,x,y``; a frame without a line has nobody. A test
    sequence without its annotation file has no labels (points are None): the challenge held them back, and
    DroneCrowd, which published them later, has other files. As the challenge's page and report describe.
    Unverified: the real files are not at hand here.

    Licence: academic use. Where to get it: https://github.com/VisDrone/VisDrone-Dataset. Citation: D. Du et al.,
    VisDrone-CC2020: The Vision Meets Drone Crowd Counting Challenge Results, ECCV Workshops 2020.

    Args:
        root: The folder with ``sequences``, or the one above it.
        split: ``"train"`` or ``"test"``.

    Raises:
        DataError: A list, a frame or an annotation is missing or damaged.
    """

    card: ClassVar[Card] = Card(
        "VisDrone-CC 2020", "3,360 frames from drones", "points on heads", "academic use",
        "https://github.com/VisDrone/VisDrone-Dataset", "Du et al., ECCV Workshops 2020", confirmed="",
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(("train", "test"))

    def __init__(self, root: str | Path, split: str = "train") -> None:
        self.split = check_split(self.protocol.splits, split, "VisDrone-CC")
        base = find_root(root, ("VisDrone2020-CC", "VisDrone-CC"), (LISTS[split],), TREE)
        names = read_text(base / LISTS[split]).split()
        if not names:
            raise DataError("expected a list of sequences", f"the empty file {base / LISTS[split]}")
        self.samples = [sample for name in names for sample in self._sequence(base, name)]

    def _sequence(self, base: Path, name: str) -> list[Sample]:
        photos = {int(p.stem): p for p in (base / "sequences" / name).glob("*.jpg") if p.stem.isdigit()}
        if not photos:
            raise DataError(f"expected frames NNNNN.jpg in {base / 'sequences' / name}", "none")
        truth = base / "annotations" / f"{name}.txt"
        about = {"set": "visdrone", "split": self.split, "sequence": name}
        if not truth.is_file():
            if self.split == "train":
                raise DataError(f"expected {truth.name} in {truth.parent}", "no such file")
            return [
                Sample(f"{name}/{photos[n].stem}", photos[n], None, attributes=about) for n in sorted(photos)
            ]
        heads = _read_heads(truth)
        strange = sorted(set(heads[:, 0].tolist()) - photos.keys())
        if strange:
            raise DataError(f"expected a frame for each line of {truth}", f"no frame {strange[0]:g}")
        return [
            Sample(f"{name}/{photos[n].stem}", photos[n], check_points(xy, None, truth), attributes=about)
            for n, xy in ((n, heads[heads[:, 0] == n, 1:]) for n in sorted(photos))
        ]


def _read_heads(path: Path) -> NDArray[np.float64]:
    """Return the (n, 3) frame, x, y; VisDrone's other annotations have more columns, and x elsewhere."""
    heads = read_rows(path, 3)
    if heads.shape[1] != 3:
        raise DataError(
            f"expected frame,x,y a line in {path}",
            f"{heads.shape[1]} numbers",
            "It seems to belong to another set of VisDrone",
        )
    return heads
