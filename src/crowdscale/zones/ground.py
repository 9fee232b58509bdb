"""The ground in a photo: four points with known distances give square metres, and people per square metre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError

__all__ = ["LEVELS", "Corners", "Ground", "level_of_service", "metres_from_sides"]

Floats = NDArray[np.float64]
Corners = tuple[tuple[float, float], ...]

LEVELS: dict[str, tuple[float, ...]] = {
    "walkway": (3.25, 2.32, 1.39, 0.93, 0.46),
    "queue": (1.21, 0.93, 0.65, 0.28, 0.19),
}
"""Smallest m² a person of levels A to E, F being less (J. J. Fruin, Pedestrian Planning and Design, 1971)."""

DENSIFY = 64
"""Points an edge: a straight edge of a zone stays straight on the ground, curved lenses aside."""
NEAR = 0.1
"""Depth, over the least depth of the ground points, beyond which the ground is too far away to measure people."""
FLAT = 1e-9
"""Area share below which four points lie on a line."""


def level_of_service(per_square_metre: float, kind: str = "walkway") -> str:
    """Return the level of service A (free) to F (jam) of a density in people per m²."""
    room = np.inf if per_square_metre <= 0 else 1 / per_square_metre
    return "ABCDEF"[sum(room < least for least in LEVELS[kind])]


def metres_from_sides(sides: tuple[float, ...], diagonal: float, clockwise: bool) -> Corners:
    """Return the places in metres of a quadrilateral's corners A, B, C, D from its sides AB, BC, CD, DA and AC.

    Args:
        sides: Four lengths in metres.
        diagonal: The distance from A to C.
        clockwise: Whether A, B, C, D run clockwise as seen in the photo.

    Raises:
        DataError: No quadrilateral has these lengths.
    """
    ab, bc, cd, da = sides
    b, d = _third(ab, bc, diagonal, "AB, BC and AC"), _third(da, cd, diagonal, "DA, CD and AC")
    turn = -1.0 if clockwise else 1.0
    return (0.0, 0.0), (b[0], turn * b[1]), (diagonal, 0.0), (d[0], -turn * d[1])


def _third(from_a: float, from_c: float, diagonal: float, what: str) -> tuple[float, float]:
    """The place of a corner by its distances from (0, 0) and (diagonal, 0)."""
    if min(from_a, from_c, diagonal) <= 0 or not abs(from_a - from_c) < diagonal < from_a + from_c:
        raise DataError(f"expected {what} to be a triangle", f"{from_a:g}, {from_c:g} and {diagonal:g} m")
    x = (from_a**2 - from_c**2 + diagonal**2) / (2 * diagonal)
    return x, float(np.sqrt(max(0.0, from_a**2 - x**2)))


@dataclass(frozen=True)
class Ground:
    """Where four points of the photo lie on the ground.

    Raises:
        DataError: There are not four, or three of them lie on a line.
    """

    points: Corners
    """Four (x, y) in pixels of the photo."""
    metres: Corners
    """The same four on the ground, in metres along any two axes at right angles."""
    levels: str = "walkway"
    """Levels of service of a walkway or of a queue."""

    def __post_init__(self) -> None:
        for name, corners in (("in the photo", self.points), ("in metres", self.metres)):
            if len(corners) != 4:
                raise DataError(f"expected four ground points {name}", f"{len(corners)}")
            if not _convex(np.array(corners, float)):
                raise DataError(
                    f"expected four ground points {name} in turn around a quadrilateral",
                    "points on a line, or in another order",
                )
        if self.levels not in LEVELS:
            raise DataError(f"expected levels out of {', '.join(LEVELS)}", repr(self.levels))

    @property
    def homography(self) -> Floats:
        """(3, 3) matrix that leads from the photo's pixels to metres: H·(x, y, 1)."""
        rows, right = [], []
        for (x, y), (u, v) in zip(self.points, self.metres, strict=True):
            rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
            right += [u, v]
        solved = np.linalg.solve(np.array(rows, float), np.array(right, float))
        return np.append(solved, 1.0).reshape(3, 3)

    def place(self, xy: Any) -> Floats:
        """Return (n, 2) metres of (n, 2) pixels.

        Raises:
            DataError: A point lies at or beyond the horizon.
        """
        corners = np.array(self.points, float)
        matrix = self.homography
        depths = np.column_stack([corners, np.ones(4)]) @ matrix[2]
        sign = np.sign(depths[0])
        mapped = np.column_stack([np.asarray(xy, float), np.ones(len(xy))]) @ matrix.T
        if (mapped[:, 2] * sign < 0.01 * np.abs(depths).min()).any():
            raise DataError(
                "expected an area on the ground",
                "one that reaches the horizon",
                "Draw it lower, or move the ground points",
            )
        return np.asarray(mapped[:, :2] / mapped[:, 2:])

    def pixel_areas(self, width: int, height: int, step: int = 8) -> Floats:
        """Return the area on the ground of cells over a (width, height) photo, in m²; NaN where it is too far away.

        Args:
            width: Of the photo in pixels.
            height: Of the photo in pixels.
            step: Side of a cell in pixels, about.
        """
        columns, rows = max(1, round(width / step)), max(1, round(height / step))
        x, y = (np.arange(columns) + 0.5) * width / columns, (np.arange(rows) + 0.5) * height / rows
        matrix = self.homography
        corners = np.column_stack([np.array(self.points, float), np.ones(4)]) @ matrix[2]
        depths = (matrix[2, 0] * x[None] + matrix[2, 1] * y[:, None] + matrix[2, 2]) * np.sign(corners[0])
        near = depths >= NEAR * np.abs(corners).min()
        cell = (width / columns) * (height / rows)
        # A homography enlarges the area around a place by |det H| / depth³.
        return np.where(near, cell * abs(np.linalg.det(matrix)) / np.where(near, depths, 1) ** 3, np.nan)

    def shape(self, shape: Any) -> Any:
        """Return a polygon of the photo as a shapely polygon in metres. Raises DataError beyond the horizon."""
        import shapely

        polygons = []
        for part in getattr(shape, "geoms", [shape]):
            if part.is_empty or part.geom_type != "Polygon":
                continue  # a cut may leave lines and points
            length = max(part.length / (4 * DENSIFY), 1e-6)
            rings = [
                np.asarray(ring.segmentize(length).coords)[:-1] for ring in (part.exterior, *part.interiors)
            ]
            outer, *holes = (self.place(ring) for ring in rings)
            polygons.append(shapely.Polygon(outer, holes))
        return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)

    def square_metres(self, shape: Any) -> float:
        """Return the area on the ground of a polygon in the photo. Raises DataError beyond the horizon."""
        return float(self.shape(shape).area)

    def near_side(self, size: tuple[int, int], share: float = NEAR) -> Any:
        """Return the shapely part of a (width, height) photo that lies on the ground and not too far away.

        Args:
            size: Of the photo in pixels.
            share: Least depth, over the least depth of the four points: 0.1 is about ten times as far away.
        """
        import shapely

        matrix = self.homography
        depths = np.column_stack([np.array(self.points, float), np.ones(4)]) @ matrix[2]
        a, b, c = matrix[2] * np.sign(depths[0])
        c -= share * np.abs(depths).min()
        if np.hypot(a, b) < 1e-15:
            return shapely.box(0, 0, *size)
        # a x + b y + c >= 0 is a half plane: a large square on the right side of its border
        normal, far = np.array([a, b]) / np.hypot(a, b), 4.0 * sum(size) + abs(c) / np.hypot(a, b)
        foot, along = -c / np.hypot(a, b) * normal, np.array([-normal[1], normal[0]])
        corners = [
            foot - far * along,
            foot + far * along,
            foot + far * (along + normal),
            foot + far * (normal - along),
        ]
        return shapely.Polygon(corners).intersection(shapely.box(0, 0, *size))


def _convex(corners: Floats) -> bool:
    """Whether four points run around a convex quadrilateral that is no line."""
    edges = np.roll(corners, -1, axis=0) - corners
    after = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * after[:, 1] - edges[:, 1] * after[:, 0]
    scale = float(np.abs(edges).sum()) ** 2
    return bool((turns > FLAT * scale).all() or (turns < -FLAT * scale).all())
