"""Zones of a picture: polygons and lines in which people are counted, and regions of interest that limit the count.

Coordinates are those of the picture, its top-left corner at (0, 0): a head at pixel (x, y) lies at (x + ½, y + ½).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crowdscale.counting.prediction import Prediction
from crowdscale.errors import DataError
from crowdscale.files.documents import FARTHEST
from crowdscale.points import Points
from crowdscale.zones.alarms import AlarmRule
from crowdscale.zones.ground import Corners, Ground, level_of_service
from crowdscale.zones.shapes import area_shape, open_ring

__all__ = ["Zone", "ZoneCount", "Zones", "area_of_interest", "as_corners"]

Floats = NDArray[np.float64]
Size = tuple[int, int]

LINE_WIDTH = 0.02
"""Width of a line's strip over the picture's width, where none is given."""
ONE_PIXEL = 1.5
"""Corners up to here, in pixels, are shares whose "relative" was forgotten."""
BEYOND = 1.0
"""Pixels by which a corner may lie outside: clicks on the border."""


@dataclass(frozen=True)
class Zone:
    """A polygon, or a line with a width, in which people are counted.

    Raises:
        DataError: Too few corners, numbers that are none, edges that cross one another, an unknown kind.
    """

    name: str
    points: Corners
    """(x, y) of its corners. The last corner of an area is not its first."""
    kind: Literal["area", "line"] = "area"
    relative: bool = False
    """Whether corners are shares of the picture's width and height instead of pixels."""
    capacity: int | None = None
    """People for whom there is room."""
    alarm: AlarmRule | None = None
    width: float | None = None
    """Of a line: people within half of it on either side belong to it, as in a queue; in the unit of its points."""
    roi: bool = False
    """A region of interest: people outside all of them are not counted."""
    exclude: bool = False
    """An area that is left out of every zone and of the whole count."""
    holes: tuple[Corners, ...] = ()
    """Corners of areas within the zone that do not belong to it."""
    more: tuple[Corners, ...] = ()
    """Corners of further areas that belong to the zone: both sides of a fence, say."""

    def __post_init__(self) -> None:
        for field in ("holes", "more"):
            rings = tuple(as_corners(ring, f"{field} of {self.name}") for ring in getattr(self, field))
            object.__setattr__(self, field, tuple(map(open_ring, rings)))
        if self.kind == "area":
            object.__setattr__(self, "points", open_ring(self.points))
        self._check_corners()
        self._check_use()
        if self.kind == "area":
            self._check_simple()
        elif len(set(self.points)) < 2:
            raise DataError(f"expected two different points of the line {self.name}", "a line of no length")

    def _check_corners(self) -> None:
        """Raise DataError for an unknown kind, no name, too few corners or corners that are no numbers."""
        least = 3 if self.kind == "area" else 2
        if self.kind not in ("area", "line"):
            raise DataError(f"expected the kind of zone {self.name} as area or line", repr(self.kind))
        if not self.name:
            raise DataError.plain("a zone has no name", "Give each a name")
        if len(self.points) < least:
            shape, corner = ("an area", "corner") if least == 3 else ("a line", "point")
            has = f"{len(self.points)} {corner}{'s' * (len(self.points) != 1)}"
            raise DataError.plain(f"zone {self.name} has {has}, and {shape} needs {least} or more")
        for ring in (self.points, *self.holes, *self.more):
            if not np.isfinite(np.array(ring, float)).all():
                raise DataError(f"expected numbers as corners of {self.name}", "NaN or infinity")
        if any(len(ring) < 3 for ring in (*self.holes, *self.more)):
            raise DataError(f"expected at least 3 corners of each part of {self.name}", "fewer")

    def _check_use(self) -> None:
        """Raise DataError for a width that is not above 0 or beyond any picture, or for roles that exclude one another."""
        if self.width is not None and not 0 < self.width <= FARTHEST:
            raise DataError(
                f"expected the width of {self.name} above 0 and at most {FARTHEST:g}", f"{self.width:g}"
            )
        if self.kind == "line" and (self.roi or self.exclude or self.holes or self.more):
            raise DataError("expected an area as region of interest, excluded area or zone with holes", f"the line {self.name}")  # fmt: skip
        if self.roi and self.exclude:
            raise DataError(f"expected {self.name} as region of interest or excluded", "both")

    def _check_simple(self) -> None:
        import shapely

        shape = self._area((1, 1))
        if not shape.is_valid or shape.area == 0:
            why = shapely.is_valid_reason(shape) if not shape.is_valid else "no area"
            raise DataError(
                f"expected the edges of zone {self.name} not to cross",
                f"a polygon with a fault: {why}",
                'Draw its corners in turn around it. Leave an area out with a zone of its own and "exclude": true, or with "holes"',
            )

    def corners(self, size: Size, whole: bool = False) -> Floats:
        """Return the (n, 2) corners in pixels of a (width, height) picture; those of all parts if ``whole``."""
        rings = (self.points, *self.more) if whole else (self.points,)
        return np.concatenate([np.array(ring, float) for ring in rings]) * (size if self.relative else (1, 1))

    def shape(self, size: Size) -> Any:
        """Return the shapely polygon of a picture of this size that counts as this zone."""
        import shapely

        if self.kind == "area":
            return self._area(size if self.relative else (1, 1))
        width = self.width * (size[0] if self.relative else 1) if self.width else LINE_WIDTH * size[0]
        return shapely.LineString(self.corners(size)).buffer(width / 2, cap_style="flat")

    def _area(self, scale: Size) -> Any:
        ring, *rest = (np.array(each, float) * scale for each in (self.points, *self.holes, *self.more))
        return area_shape(ring, rest[: len(self.holes)], rest[len(self.holes) :])


@dataclass(frozen=True)
class ZoneCount:
    """How many people are in a zone."""

    name: str
    people: float
    """The density's integral over the zone, or the heads in it where the model has no density."""
    dots: int | None
    """Heads in it; None for a density model."""
    capacity: int | None = None
    square_metres: float | None = None
    """Its area, where the zones have ground points."""
    per_square_metre: float | None = None
    level: str | None = None
    """Level of service, A (free) to F (jam)."""


@dataclass(frozen=True)
class Zones:
    """The zones of one view.

    Raises:
        DataError: Two zones of one name, or none.
    """

    zones: tuple[Zone, ...]
    ground: Ground | None = None
    size: Size | None = None
    """(width, height) of the picture they were drawn on, where known; they are scaled to others of that shape."""

    def __post_init__(self) -> None:
        names = [zone.name for zone in self.zones]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError("expected each zone's name once", f"{', '.join(twice)} twice")

    @property
    def counted(self) -> tuple[Zone, ...]:
        """The zones that have a count of their own: all but regions of interest and excluded areas."""
        return tuple(zone for zone in self.zones if not (zone.roi or zone.exclude))

    @property
    def alarms(self) -> dict[str, AlarmRule]:
        """Alarm rules by zone."""
        return {zone.name: zone.alarm for zone in self.zones if zone.alarm is not None}

    def warnings(self) -> list[str]:
        """Return a sentence for each zone that can hold nobody."""
        sentences = [
            f'All corners of zone {zone.name} lie within one pixel: add "relative": true if they are shares.'
            for zone in self.zones
            if not zone.relative and np.abs(np.array(zone.points, float)).max() <= ONE_PIXEL
        ]
        sentences += [
            f"Zone {zone.name} is smaller than a pixel: its corners seem to be degrees on a map."
            for zone in self.zones
            if not sentences and not zone.relative and np.ptp(np.array(zone.points, float), axis=0).max() < 1
        ]
        if not sentences and self.size is not None:
            interest = _interest(self, self.size)
            sentences += [
                f"Zone {zone.name} lies outside the area that is counted."
                for zone in self.counted
                if interest is not None and not zone.shape(self.size).intersection(interest).area
            ]
        return sentences

    def fit(self, size: Size) -> Zones:
        """Return the zones for a (width, height) picture of the shape they were drawn on.

        Raises:
            DataError: The picture has another shape, or a zone lies outside of it.
        """
        if self.size is not None and self.size != size:
            x, y = size[0] / self.size[0], size[1] / self.size[1]
            if abs(x / y - 1) > 0.02:
                drawn, shown = (f"{width}×{height}" for width, height in (self.size, size))
                raise DataError(
                    f"expected a picture of the shape {drawn} that the zones were drawn on",
                    shown,
                    "Draw them again",
                )
            return self._scaled(x, y, size).fit(size)
        for zone in self.zones:
            outside = [
                (px, py)
                for px, py in zone.corners(size, whole=True).tolist()
                if not (-BEYOND <= px <= size[0] + BEYOND and -BEYOND <= py <= size[1] + BEYOND)
            ]
            if outside:
                at = f"({outside[0][0]:g}, {outside[0][1]:g})"
                raise DataError(
                    f"expected zone {zone.name} inside the picture of {size[0]}×{size[1]}",
                    f"a corner at {at}",
                )
        return self

    def resized(self, size: Size, drawn: Size) -> Zones:
        """Return the zones of a ``drawn`` picture for the same picture at another size."""
        return self._scaled(size[0] / drawn[0], size[1] / drawn[1], size)

    def _scaled(self, x: float, y: float, size: Size) -> Zones:
        def scaled(corners: Corners) -> Corners:
            return tuple((px * x, py * y) for px, py in corners)

        zones = tuple(
            zone
            if zone.relative
            else replace(
                zone,
                points=scaled(zone.points),
                width=zone.width * x if zone.width else None,
                holes=tuple(map(scaled, zone.holes)),
                more=tuple(map(scaled, zone.more)),
            )
            for zone in self.zones
        )
        ground = None if self.ground is None else replace(self.ground, points=scaled(self.ground.points))
        return Zones(zones, ground, size)

    def count(self, prediction: Prediction) -> list[ZoneCount]:
        """Return the people of each zone of a whole (not yet limited) prediction. Raises DataError where one does not fit."""
        return [_count(zone, shape, self, prediction) for zone, shape in _shapes(self, prediction.size)]

    def limit(self, prediction: Prediction) -> Prediction:
        """Return the prediction of the people in the regions of interest; the same where there is none.

        The first pass's density is not kept: its count is limited by the share of its heads.
        """
        interest = _interest(self, prediction.size)
        if interest is None:
            return prediction
        points, first = _inside(prediction.points, interest), _inside(prediction.first_pass_points, interest)
        density, count = prediction.density, 0.0 if points is None else float(len(points))
        if density is not None:
            density = (density * _shares(interest, prediction)).astype(np.float32)
            count = float(density.sum(dtype=np.float64))
        if first is not None and prediction.first_pass_points is not None:
            first_pass_count = (
                prediction.first_pass_count * len(first) / max(1, len(prediction.first_pass_points))
            )
        else:
            first_pass_count = prediction.first_pass_count * count / max(prediction.count, 1e-9)
        return replace(
            prediction,
            count=count,
            points=points,
            density=density,
            first_pass_count=first_pass_count,
            first_pass_points=first,
            calibration=None,
        )


@lru_cache(maxsize=64)
def _shapes(zones: Zones, size: Size) -> tuple[tuple[Zone, Any], ...]:
    """Each counted zone with its polygon within the regions of interest."""
    fitted = zones.fit(size)
    interest = _interest(zones, size)
    return tuple(
        (zone, zone.shape(size) if interest is None else zone.shape(size).intersection(interest))
        for zone in fitted.counted
    )


@lru_cache(maxsize=64)
def _interest(zones: Zones, size: Size) -> Any:
    """The area that is counted: the regions of interest, or the whole photo, without the excluded areas."""
    import shapely

    fitted = zones.fit(size).zones
    regions = [zone.shape(size) for zone in fitted if zone.roi]
    excluded = [zone.shape(size) for zone in fitted if zone.exclude]
    if not regions and not excluded:
        return None
    whole = shapely.union_all(regions) if regions else shapely.box(0, 0, *size)
    return whole.difference(shapely.union_all(excluded)) if excluded else whole


def area_of_interest(zones: Zones, size: Size) -> Any:
    """Return the shapely area that is counted in a photo of this size; None where that is all of it."""
    return _interest(zones, size)


def _count(zone: Zone, shape: Any, zones: Zones, prediction: Prediction) -> ZoneCount:
    inside = _inside(prediction.points, shape)
    dots = None if inside is None else len(inside)
    density = prediction.density
    people = float(dots or 0) if density is None else float((density * _shares(shape, prediction)).sum())
    metres = None if zones.ground is None else _square_metres(zones, shape, prediction.size)
    per = None if not metres else people / metres
    level = level_of_service(per, zones.ground.levels) if per is not None and zones.ground else None
    return ZoneCount(zone.name, people, dots, zone.capacity, metres, per, level)


@lru_cache(maxsize=256)
def _square_metres(zones: Zones, shape: Any, size: Size) -> float:
    ground = zones.fit(size).ground
    return 0.0 if ground is None else ground.square_metres(shape)


def _inside(points: Points | None, shape: Any) -> Points | None:
    import shapely

    if points is None:
        return None
    return points.select(shapely.intersects_xy(shape, points.xy[:, 0] + 0.5, points.xy[:, 1] + 0.5))


def _shares(shape: Any, prediction: Prediction) -> Floats:
    """Return the (rows, columns) share of each cell of the prediction's density that lies in the shape."""
    rows, columns = (0, 0) if prediction.density is None else prediction.density.shape
    return _cell_shares(shape, rows, columns, prediction.cell, prediction.size)


@lru_cache(maxsize=256)
def _cell_shares(shape: Any, rows: int, columns: int, cell: tuple[float, float], size: Size) -> Floats:
    """As ``_shares``; kept, so that each further frame of a video is one multiplication."""
    import shapely

    x = np.append(np.arange(columns) * cell[0], size[0])
    y = np.append(np.arange(rows) * cell[1], size[1])
    cells = shapely.box(*np.broadcast_arrays(x[None, :-1], y[:-1, None], x[None, 1:], y[1:, None]))
    shapely.prepare(shape)
    shares = np.zeros((rows, columns))
    shares[shapely.contains(shape, cells)] = 1
    cut = (shares == 0) & shapely.intersects(shape, cells)
    shares[cut] = shapely.area(shapely.intersection(cells[cut], shape)) / shapely.area(cells[cut])
    shares.setflags(write=False)
    return shares


def as_corners(values: Sequence[Any], what: str) -> Corners:
    """Return corners read from JSON. Raises DataError where they are no pairs of numbers."""
    try:
        corners = tuple((float(x), float(y)) for x, y in values)
    except (TypeError, ValueError):
        raise DataError(f"expected {what} as pairs [x, y] of numbers", repr(values)[:80]) from None
    return corners
