"""UCSD pedestrians: frames of one camera over a walkway, with its perspective and region of interest."""

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

__all__ = ["UCSD"]

TREE = """
ucsdpeds/vidf/             vidf1_33_000.y/vidf1_33_000_f001.png … vidf1_33_009.y/vidf1_33_009_f200.png
vidf-cvpr/ (or ucsdpeds/)  vidf1_33_000_frame_full.mat …  vidf1_33_roi_mainwalkway.mat  vidf1_33_dmap3.mat
"""

CLIPS, FRAMES = 10, 200

TRAINING = range(600, 1400)
"""Frames 601 to 1400 are for training (Chan et al., section 5)."""

ROI, PERSPECTIVE = "vidf1_33_roi_mainwalkway.mat", "vidf1_33_dmap3.mat"


class UCSD(Reader):
    """UCSD pedestrians: 2,000 grey frames (238×158) of one camera, 11 to 46 people each in the region.

    Ten clips of 200 frames; frames 601 to 1,400 are for training, the other 1,200 for testing. A clip's
    ``vidf1_33_00C_frame_full.mat`` holds ``frame``, a struct an image whose ``loc`` begins with x and y **counted
    from 1** as MATLAB does; ``vidf1_33_roi_mainwalkway.mat`` holds ``roi.mask`` and ``vidf1_33_dmap3.mat`` the
    perspective ``dmap.pmapxy``. As the set's page describes the archive ``vidf-cvpr``; the later archive ``gt``
    nests its frames in a struct ``fgt`` and is not read. Unverified: the real files are not at hand here.

    Licence: for research. Where to get it: http://www.svcl.ucsd.edu/projects/peoplecnt/. Citation: A. Chan,
    Z.-S. Liang, N. Vasconcelos, Privacy Preserving Crowd Monitoring, CVPR 2008.

    Args:
        root: The folder in which both archives were unpacked.
        split: ``"train"`` or ``"test"``.

    Raises:
        DataError: A frame or an annotation is missing or damaged.
    """

    card: ClassVar[Card] = Card(
        "UCSD pedestrians", "2,000 grey frames of one camera over a walkway, 11 to 46 people",
        "points on people, a mask", "research", "http://www.svcl.ucsd.edu/projects/peoplecnt/",
        "Chan et al., CVPR 2008", confirmed="",
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(("train", "test"), sigma=4.0)

    def __init__(self, root: str | Path, split: str = "train") -> None:
        self.split = check_split(self.protocol.splits, split, "UCSD")
        films = find_root(root, ("ucsdpeds/vidf", "vidf", "ucsdpeds"), ("vidf1_33_000.y",), TREE)
        self._truths = find_root(root, ("vidf-cvpr", "ucsdpeds/vidf-cvpr", "ucsdpeds"), (ROI,), TREE)
        mask = Mask(self._truths / ROI, "roi.mask")
        about = {"set": "ucsd", "split": split}
        self.samples = [
            Sample(photo.stem, photo, points, attributes=about, mask=mask)
            for number, (photo, points) in enumerate(self._frames(films))
            if (number in TRAINING) == (split == "train")
        ]

    def _frames(self, films: Path) -> list[tuple[Path, Points]]:
        frames_of_clips = []
        for clip in range(CLIPS):
            name = f"vidf1_33_{clip:03}"
            path = _present(self._truths / f"{name}_frame_full.mat")
            frames = elements(load_mat(path, "frame", "an annotation of UCSD"))
            if len(frames) != FRAMES:
                raise DataError(f"expected {FRAMES} frames in {path}", str(len(frames)), "Unpack it again")
            for index, frame in enumerate(frames, 1):
                photo = _present(films / f"{name}.y" / f"{name}_f{index:03}.png")
                frames_of_clips.append((photo, _points(frame, path)))
        return frames_of_clips

    @property
    def perspective(self) -> NDArray[np.float64]:
        """The (h, w) perspective map: the weight of a pixel, as the set gives it."""
        path = self._truths / PERSPECTIVE
        dmap = load_mat(path, "dmap", "the perspective of UCSD")
        message = ("expected a struct dmap with the field pmapxy", f"another in {path}")
        return number_array(field_of(dmap, "pmapxy", message), path)


def _present(path: Path) -> Path:
    if not path.is_file():
        raise DataError(f"expected {path.name} in {path.parent}", "no such file", "Unpack it again")
    return path


def _points(frame: Value, path: Path) -> Points:
    loc = field_of(frame, "loc", ("expected frames with the field loc", f"others in {path}"))
    return check_points(points_array(loc, path) - 1, None, path)
