"""Shapes of annotation tools → marks: boxes, turned boxes, ellipses, polygons.

A box from x over w pixels covers the pixels x … x + w - 1. Its centre lies at x + (w - 1) / 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from crowdscale.data.formats.label import NONE, Mark
from crowdscale.errors import DataError

__all__ = ["box", "box_of", "corners", "ellipse", "polygon", "refusal", "turned_box"]


def box(left: float, top: float, width: float, height: float, label: str = "") -> Mark:
    """Return the mark of a box."""
    return Mark(left + (width - 1) / 2, top + (height - 1) / 2, width, height, label)


def box_of(sides: Sequence[float], label: str = "") -> Mark:
    """Return the mark of a box from left, top, width, height."""
    left, top, width, height = sides
    return box(left, top, width, height, label)


def corners(left: float, top: float, right: float, bottom: float, label: str = "") -> Mark:
    """Return the mark of a box from its outer corners."""
    return box(left, top, right - left, bottom - top, label)


def turned_box(
    centre_x: float, centre_y: float, width: float, height: float, degrees: float, label: str = ""
) -> Mark:
    """Return the mark of a box that is turned about its centre: the upright box around it."""
    cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    wide, high = width * cosine + height * sine, width * sine + height * cosine
    return box(centre_x - wide / 2, centre_y - high / 2, wide, high, label)


def ellipse(
    centre_x: float, centre_y: float, radius_x: float, radius_y: float, degrees: float = 0.0, label: str = ""
) -> Mark:
    """Return the mark of an ellipse that is turned about its centre: the upright box around it."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    half_x, half_y = (
        math.hypot(radius_x * cosine, radius_y * sine),
        math.hypot(radius_x * sine, radius_y * cosine),
    )
    return corners(centre_x - half_x, centre_y - half_y, centre_x + half_x, centre_y + half_y, label)


def polygon(xy: Sequence[Sequence[float]], label: str, where: object) -> Mark:
    """Return the mark of a polygon: the upright box around it. Raises DataError for fewer than 3 corners."""
    if len(xy) < 3 or any(len(pair) < 2 for pair in xy):
        raise DataError(f"expected a polygon of at least 3 corners in {where}", f"{len(xy)}")
    table = np.array([pair[:2] for pair in xy], dtype=np.float64)
    (left, top), (right, bottom) = table.min(axis=0).tolist(), table.max(axis=0).tolist()
    return corners(left, top, right, bottom, label)


def refusal(shape: str, label: str = "") -> Mark:
    """Return the mark of a shape that gives no position of a head."""
    article = "an" if shape[:1] in "aeiou" else "a"
    return Mark(NONE, NONE, label=label, refused=f"{article} {shape}")
