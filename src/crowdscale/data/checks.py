"""Checks of every data set: finite points, points outside their photo."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdscale.errors import DataError, unknown_name
from crowdscale.files.decoder import photo_size
from crowdscale.points import Points

__all__ = ["Outside", "check_outside_choice", "check_points", "is_outside", "photo_size"]

Outside = Literal["keep", "drop", "error"]

OUTSIDE_CHOICES = ("keep", "drop", "error")


def check_points(
    points: ArrayLike | Points, size: tuple[int, int] | None, name: object, outside: Outside = "keep"
) -> Points:
    """Return the points of one photo if they are sound, without those outside it where asked to.

    Args:
        points: (n, 2) array of (x, y) in pixels, n may be 0; or Points.
        size: (width, height) of the photo; None leaves points outside unchecked.
        name: What the error names: the annotation's file.
        outside: What happens to points outside the photo.

    Raises:
        DataError: The shape is wrong, a coordinate is NaN or infinite, or a point lies outside
            with ``outside="error"``.
    """
    check_outside_choice(outside)
    checked = points if isinstance(points, Points) else Points(_finite(points, name))
    if size is None or outside == "keep":
        return checked
    beyond = is_outside(checked, size)
    if outside == "drop":
        return checked.select(~beyond)
    if beyond.any():
        x, y = checked.xy[beyond][0]
        outside_heads = f"{int(beyond.sum())} of {len(checked)} heads"
        raise DataError.plain(
            f"{name} has {outside_heads} outside its {size[0]}×{size[1]} photo, the first at ({x:g}, {y:g})",
            "Mark them on the photo at this size. In Python, outside='drop' leaves them out",
        )
    return checked


def check_outside_choice(outside: str) -> None:
    """Raise OptionError for an ``outside`` that is not one of the three choices."""
    if outside not in OUTSIDE_CHOICES:
        raise unknown_name("choice for points outside", outside, OUTSIDE_CHOICES)


def is_outside(points: Points, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which points lie outside a photo of (width, height) pixels.

    Annotation tools put either the centre or the corner of the first pixel at 0, so that a photo spans
    -0.5 … w - 0.5 or 0 … w. Only what is outside by both is called outside.
    """
    limits = np.array(size, dtype=np.float64)
    return np.asarray(((points.xy < -0.5) | (points.xy > limits)).any(axis=1))


def _finite(points: ArrayLike, name: object) -> NDArray[np.float64]:
    try:
        xy = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"expected pairs of numbers (x, y) in {name}", "something else") from None
    if xy.size == 0:
        return np.zeros((0, 2))
    if xy.ndim != 2 or xy.shape[1] != 2:
        raise DataError(f"expected points as an (n, 2) array of (x, y) in {name}", f"shape {xy.shape}")
    bad = int((~np.isfinite(xy)).any(axis=1).sum())
    if bad:
        raise DataError(
            f"expected finite coordinates in {name}",
            f"{bad} of {len(xy)} points with NaN or infinity",
            "Correct or remove these points",
        )
    return xy
