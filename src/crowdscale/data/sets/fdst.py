"""FDST: frames of a hundred scenes, with head boxes as the VGG Image Annotator writes them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from crowdscale.data.formats.via import RECT, via_photos
from crowdscale.data.protocol import Card, Protocol
from crowdscale.data.sample import Sample
from crowdscale.data.sets.layout import Reader, boxes_to_points, check_split, find_root, pair_files
from crowdscale.errors import DataError
from crowdscale.files.documents import read_json

__all__ = ["FDST"]

TREE = """
FDST/ (or Our_dataset/)
  train_data/1/001.jpg  001.json … 150.jpg  150.json   train_data/2/ …
  test_data/…
"""


class FDST(Reader):
    """Fudan-ShanghaiTech (FDST): 15,000 frames (1920×1080 or 1280×720) of 13 places, 394,081 heads.

    100 videos of 150 frames, 60 to train and 40 to test. Beside ``NNN.jpg`` lies ``NNN.json`` of the VGG Image
    Annotator: one object with ``regions``, each with ``shape_attributes`` {name: rect, x, y, width, height}.
    Points are the boxes' centres, ``sizes`` their width and height. As the set's page describes. Unverified:
    the real files are not at hand here.

    Licence: for research. Where to get it: https://github.com/sweetyy83/Lstn_fdst_dataset. Citation: Y. Fang et
    al., Locality-constrained Spatial Transformer Network for Video Crowd Counting, ICME 2019.

    Args:
        root: The folder with ``train_data`` and ``test_data``, or the one above it.
        split: ``"train"`` or ``"test"``.

    Raises:
        DataError: A frame or an annotation is missing or damaged.
    """

    card: ClassVar[Card] = Card(
        "FDST", "15,000 frames of 100 videos, 394,081 heads", "boxes of heads", "research",
        "https://github.com/sweetyy83/Lstn_fdst_dataset", "Fang et al., ICME 2019", confirmed="",
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(
        ("train", "test"), thresholds=("4px", "8px", "16px", "small", "large")
    )

    def __init__(self, root: str | Path, split: str = "train") -> None:
        self.split = check_split(self.protocol.splits, split, "FDST")
        folder = f"{split}_data"
        base = find_root(root, ("FDST", "Our_dataset"), (folder,), TREE) / folder
        photos = {path.relative_to(base).with_suffix("").as_posix(): path for path in base.glob("*/*.jpg")}
        truths = {path.relative_to(base).with_suffix("").as_posix(): path for path in base.glob("*/*.json")}
        self.samples = [
            self._sample(*pair) for pair in pair_files(base, photos, truths, "NNN.jpg", "NNN.json")
        ]

    def _sample(self, name: str, photo: Path, truth: Path) -> Sample:
        points, sizes = boxes_to_points(_read_boxes(truth), truth)
        scene = name.partition("/")[0]
        return Sample(name, photo, points, sizes, {"set": "fdst", "split": self.split, "scene": scene})


def _read_boxes(path: Path) -> NDArray[np.float64]:
    """Return the (n, 4) boxes (left, top, width, height). Raises DataError for other shapes."""
    photos = via_photos(read_json(path), path)
    if len(photos) != 1:
        raise DataError(f"expected the regions of one photo in {path}", f"{len(photos)} photos")
    shapes = [region.shape_attributes for region in photos[0].marked]
    other = next((shape.name for shape in shapes if shape.name != "rect"), None)
    if other is not None:
        raise DataError(f"expected boxes (rect) in {path}", f"a {other}", "Draw boxes around heads")
    boxes = [shape.numbers(RECT, path) for shape in shapes]
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)
