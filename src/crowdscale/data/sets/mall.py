"""Mall: frames of one camera in a shopping centre, with its perspective and region of interest."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from crowdscale.data.checks import check_points
from crowdscale.data.protocol import Card, Protocol
from crowdscale.data.sample import Mask, Sample
from crowdscale.data.sets.layout import (
    Reader,
    check_split,
    elements,
    field_of,
    find_root,
    load_mat,
    number_array,
    points_array,
)
from crowdscale.errors import DataError
from crowdscale.files.matlab import Value
from crowdscale.points import Points

__all__ = ["Mall"]

TREE = """
mall_dataset/
  frames/  seq_000001.jpg … seq_002000.jpg
  mall_gt.mat  perspective_roi.mat
"""

TRUTHS = ("mall_gt.mat", "ground_truth.mat")
"""Names of the annotation: the release's, and that of a copy in circulation."""

TRAINING = 800
"""The first frames are for training (Chen et al., section 4)."""


class Mall(Reader):
    """Mall: 2,000 frames (640×480) of one camera in a shopping centre, 13 to 53 people each.

    The first 800 frames are for training, the other 1,200 for testing. ``mall_gt.mat`` holds ``frame``, a
    struct an image whose ``loc`` is (n, 2) x, y **counted from 1**, as the MATLAB example in the set plots them
    onto the frame; ``perspective_roi.mat`` holds ``pMapN`` (the perspective) and ``roi.mask``. A copy in
    circulation calls the annotation ``ground_truth.mat``. The layout was confirmed on the real training split.

    Licence: for research. Where to get it:
    https://personal.ie.cuhk.edu.hk/~ccloy/downloads_mall_dataset.html. Citation: K. Chen, C. C. Loy, S. Gong,
    T. Xiang, Feature Mining for Localised Crowd Counting, BMVC 2012.

    Args:
        root: The folder with ``frames``, or the one above it.
        split: ``"train"`` or ``"test"``.

    Raises:
        DataError: A frame or an annotation is missing or damaged.
    """

    card: ClassVar[Card] = Card(
        "Mall", "2,000 frames of one camera in a shopping centre, 13 to 53 people", "points on heads, a mask",
        "research", "https://personal.ie.cuhk.edu.hk/~ccloy/downloads_mall_dataset.html",
        "Chen et al., BMVC 2012", confirmed="the train split",
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(("train", "test"), sigma=4.0)

    def __init__(self, root: str | Path, split: str = "train") -> None:
        self.split = check_split(self.protocol.splits, split, "Mall")
        self._base = find_root(root, ("mall_dataset",), TRUTHS, TREE)
        truth = next(self._base / name for name in TRUTHS if (self._base / name).is_file())
        frames = elements(load_mat(truth, "frame", "the annotation of Mall"))
        mask = Mask(self._file("perspective_roi.mat"), "roi.mask")
        about = {"set": "mall", "split": split}
        chosen = range(min(TRAINING, len(frames))) if split == "train" else range(TRAINING, len(frames))
        self.samples = [
            Sample(name, self._file(f"frames/{name}.jpg"), _points(frame, truth), attributes=about, mask=mask)
            for name, frame in ((f"seq_{i + 1:06}", frames[i]) for i in chosen)
        ]
        photos = sorted(path.name for path in (self._base / "frames").glob("seq_*.jpg"))
        if len(photos) > len(frames):
            raise DataError(
                f"expected an annotation of each frame in {truth}", f"{len(frames)} for {len(photos)} frames"
            )

    def _file(self, name: str) -> Path:
        path = self._base / name
        if not path.is_file():
            raise DataError(f"expected {path.name} in {path.parent}", "no such file", "Unpack it again")
        return path

    @property
    def perspective(self) -> NDArray[np.float64]:
        """The (h, w) perspective map: how large a person appears at each pixel, normalised by the set."""
        path = self._base / "perspective_roi.mat"
        return number_array(load_mat(path, "pMapN", "the perspective of Mall"), path)


def _points(frame: Value, path: Path) -> Points:
    loc = field_of(frame, "loc", ("expected frames with the field loc", f"others in {path}"))
    return check_points(points_array(loc, path) - 1, None, path)
