"""Fits labels to their photo: annotations of another size are scaled, those of a photo on its side are turned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdscale.data.checks import photo_size
from crowdscale.data.formats.label import Label, Size
from crowdscale.errors import DataError
from crowdscale.files.decoder import TURNED, choose_page, opened, stored_orientation
from crowdscale.points import Points

__all__ = ["fit_label"]

SLACK = 1.0
"""Pixels by which a side may differ from the same ratio: sizes are rounded."""


def fit_label(label: Label, photo: Path, source: str) -> tuple[Label, str | None]:
    """Return the label in pixels of the upright photo, and a sentence where it had to be changed.

    Annotations of a photo at another size are scaled where the ratio of the sides is the same. Annotations of
    the photo as it is stored, before its EXIF turns it, are turned.

    Args:
        label: The label, in pixels of the photo by its file.
        photo: The photo.
        source: The annotation's file, for errors.

    Raises:
        DataError: The sizes differ in another way.
        ImageError: The photo cannot be opened.
    """
    if label.size is None:
        return label, None
    upright = photo_size(photo)
    if label.size == upright:
        return label, None
    factors = _factors(label.size, upright)
    if factors is not None:
        sentence = f"{source}: made on {_text(label.size)}, the photo is {_text(upright)}. Scaled by {factors[0]:.4g}"
        return _scaled(label, factors, upright), f"{sentence}."
    orientation = _orientation(photo)
    stored = (upright[1], upright[0])
    factors = _factors(label.size, stored) if orientation in TURNED else None
    if factors is None:
        raise DataError(
            f"{source} is for a photo of {_text(label.size)}, but {photo.name} has {_text(upright)}", "",
            "Annotate the photo as it is, or restore the one that was annotated",
        )  # fmt: skip
    turned = _turned(_scaled(label, factors, stored), stored, orientation)
    return (
        turned,
        f"{source}: made on the photo before its EXIF turns it ({_text(label.size)}). Turned upright.",
    )


def _orientation(photo: Path) -> int:
    with opened(photo, str(photo)) as image:
        choose_page(image, str(photo))
        return stored_orientation(image)


def _text(size: Size) -> str:
    return f"{size[0]}×{size[1]}"


def _factors(size: Size, photo: Size) -> tuple[float, float] | None:
    """Return the factors from one size to the other; None where the ratio of the sides differs."""
    x, y = photo[0] / size[0], photo[1] / size[1]
    # One pixel of rounding at either size, on the side where it matters more.
    slack = SLACK * max(1.0, x, y)
    if abs(size[0] * y - photo[0]) > slack and abs(size[1] * x - photo[1]) > slack:
        return None
    return x, y


def _scaled(label: Label, factors: tuple[float, float], size: Size) -> Label:
    sizes = None if label.sizes is None else label.sizes * factors
    return label.moved(lambda points: points.scale(*factors), size, sizes)


def _turned(label: Label, stored: Size, orientation: int) -> Label:
    """Return a label of the stored photo in the upright one, for an orientation that swaps the sides."""
    sizes = None if label.sizes is None else label.sizes[:, ::-1].copy()
    return label.moved(
        lambda points: Points(_upright(points.xy, stored, orientation)), (stored[1], stored[0]), sizes
    )


def _upright(xy: NDArray[np.float64], stored: Size, orientation: int) -> NDArray[np.float64]:
    """Return points of the stored photo in the upright one.

    Orientations: 5 is mirrored along the main diagonal, 6 turned by 90° clockwise for viewing, 7 mirrored along
    the other diagonal, 8 turned by 90° counter-clockwise (EXIF 2.3, section 4.6.4).
    """
    right, down = stored[0] - 1 - xy[:, 0], stored[1] - 1 - xy[:, 1]
    x, y = xy[:, 0], xy[:, 1]
    columns = {5: (y, x), 6: (down, x), 7: (down, right), 8: (y, right)}[orientation]
    return np.column_stack(columns)
