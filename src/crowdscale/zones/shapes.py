"""Polygons of zones: rings with holes, keyholes and several parts as one shapely area."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["area_shape", "open_ring"]

Floats = NDArray[np.float64]
Ring = tuple[tuple[float, float], ...]


def open_ring(ring: Ring) -> Ring:
    """Return a ring without last corners that are its first one: some programs close rings, others do not."""
    while len(ring) > 3 and ring[0] == ring[-1]:
        ring = ring[:-1]
    return ring


def area_shape(ring: Floats, holes: Sequence[Floats] = (), more: Sequence[Floats] = ()) -> Any:
    """Return the polygon of a ring and of further parts, without the holes. It is not valid where an edge crosses another.

    Args:
        ring: (n, 2) corners.
        holes: (m, 2) corners each.
        more: Corners of further parts, which may touch or overlap.
    """
    import shapely

    if not more:
        return _polygon(ring, holes)
    parts = [_polygon(each) for each in (ring, *more)]
    wrong = next((part for part in parts if not part.is_valid or part.area == 0), None)
    if wrong is not None:
        return wrong
    cut = [shapely.Polygon(hole) for hole in holes]
    return next((hole for hole in cut if not hole.is_valid), None) or shapely.union_all(parts).difference(
        shapely.union_all(cut)
    )


def _polygon(corners: Floats, holes: Sequence[Floats] = ()) -> Any:
    """Return a polygon; a keyhole, whose ring runs to an inner ring and back, becomes a polygon with a hole."""
    import shapely

    shape = shapely.Polygon(corners, holes)
    if not shape.is_valid and not holes:
        mended = shape.buffer(0)
        x, y = corners.T
        area = abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
        if mended.geom_type == "Polygon" and abs(mended.area - area) <= 1e-9 * max(area, 1e-12):
            return mended
    return shape
