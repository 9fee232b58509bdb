"""TRANCOS: vehicles on highways, with a region of interest for each photo."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from crowdscale.data.checks import check_points
from crowdscale.data.protocol import Card, Protocol
from crowdscale.data.sample import Mask, Sample
from crowdscale.data.sets.layout import Reader, check_split, find_root, load_mat, number_array, read_rows
from crowdscale.errors import DataError, ImageError
from crowdscale.files.documents import read_text
from crowdscale.files.images import read_image
from crowdscale.points import Box, Points

__all__ = ["Trancos"]

TREE = """
TRANCOS_v3/
  images/      image-1-000001.jpg  image-1-000001dots.png  image-1-000001mask.mat  image-1-000001.txt …
  image_sets/  training.txt  validation.txt  trainval.txt  test.txt
"""

RED = 200
"""A pixel of the picture of points whose red exceeds this, and whose green and blue do not, is a vehicle."""


class Trancos(Reader):
    """TRANCOS: 1,244 photos of congested traffic from surveillance cameras, 46,796 vehicles.

    403 photos to train, 420 to validate (together ``trainval``, which papers train on) and 421 to test.
    Beside each photo lie ``NAMEdots.png`` (a red pixel a vehicle), ``NAMEmask.mat`` (variable ``BW``, the region
    of interest) and, in the third version, ``NAME.txt`` with x and y of each vehicle, which is read first. Its
    pixels are taken as **counted from 1**, as in MATLAB, with which the set was made; its page does not say.
    Vehicles outside the region are not counted: they are left out of the points, and ``sample.mask`` leaves out
    predictions there. The README inside the set describes this layout. Unverified: the real files are not at
    hand here, nor how many of the 46,796 vehicles lie outside the region.

    Protocol: GAME 0 to 3 (Guerrero-Gómez-Olmedo et al., section 4); σ is that of the published settings of
    D. Oñoro-Rubio, R. J. López-Sastre, Towards Perspective-free Object Counting with Deep Learning, ECCV 2016.

    Licence: for research. Where to get it: https://gram.web.uah.es/data/datasets/trancos/index.html. Citation:
    R. Guerrero-Gómez-Olmedo et al., Extremely Overlapping Vehicle Counting, IbPRIA 2015.

    Args:
        root: The folder with ``images`` and ``image_sets``, or the one above it.
        split: ``"trainval"``, ``"training"``, ``"validation"`` or ``"test"``.

    Raises:
        DataError: A list, a photo, a mask or an annotation is missing or damaged.
    """

    card: ClassVar[Card] = Card(
        "TRANCOS", "1,244 photos of congested traffic, 46,796 vehicles", "points on vehicles, a mask a photo",
        "research", "https://gram.web.uah.es/data/datasets/trancos/index.html",
        "Guerrero-Gómez-Olmedo et al., IbPRIA 2015", confirmed="",
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(
        ("trainval", "training", "validation", "test"), sigma=15.0, game=3
    )

    def __init__(self, root: str | Path, split: str = "trainval") -> None:
        self.split = check_split(self.protocol.splits, split, "TRANCOS")
        base = find_root(root, ("TRANCOS_v3", "TRANCOS"), ("image_sets",), TREE)
        names = _read_names(base / "image_sets" / f"{split}.txt")
        self.samples = [self._sample(base / "images" / name) for name in names]

    def _sample(self, stem: Path) -> Sample:
        photo = stem.with_name(f"{stem.name}.jpg")
        mask = stem.with_name(f"{stem.name}mask.mat")
        for path in (photo, mask):
            if not path.is_file():
                raise DataError(f"expected {path.name} in {path.parent}", "no such file", "Unpack it again")
        region = number_array(load_mat(mask, "BW", "a mask of TRANCOS"), mask) > 0
        points = _within(_read_points(stem), region)
        about = {"set": "trancos", "split": self.split}
        return Sample(stem.name, photo, points, attributes=about, mask=Mask(mask, "BW"))


def _read_names(path: Path) -> list[str]:
    lines = read_text(path).split()
    if not lines:
        raise DataError("expected a list of TRANCOS's photos", f"the empty file {path}")
    return [line.removesuffix(".jpg") for line in lines]


def _read_points(stem: Path) -> Points:
    """Return the vehicles from the text file, counted from 1, or else from the picture of points."""
    text, dots = stem.with_name(f"{stem.name}.txt"), stem.with_name(f"{stem.name}dots.png")
    if text.is_file():
        return check_points(read_rows(text, 2)[:, :2] - 1, None, text)
    try:
        pixels = read_image(dots).pixels
    except ImageError as error:
        raise DataError.plain(
            f"expected {text.name} or {dots.name} in {stem.parent}: {str(error).rstrip('.')}"
        ) from error
    rows, columns = np.nonzero((pixels[..., 0] > RED) & (pixels[..., 1:] <= RED).all(axis=2))
    return Points(np.column_stack([columns, rows]))


def _within(points: Points, region: NDArray[np.bool_]) -> Points:
    """Return the points whose pixel lies in the (h, w) region."""
    height, width = region.shape
    inside = points.inside(Box(0, 0, width, height))
    columns, rows = np.floor(inside.xy + 0.5).astype(np.int64).T
    return inside.select(region[rows, columns])
