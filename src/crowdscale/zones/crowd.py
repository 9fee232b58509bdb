"""Crowd measures on the ground: density, speed, specific flow and pressure of a zone, as pedestrian research defines them.

All values are estimates from located heads. They are no safety device.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError
from crowdscale.points import Points
from crowdscale.zones.ground import Ground, level_of_service
from crowdscale.zones.zone import Zones, area_of_interest

__all__ = ["NO_SAFETY_DEVICE", "CrowdMeasures", "crowd_measures", "measure_zones", "voronoi_cells"]

Floats = NDArray[np.float64]

NO_SAFETY_DEVICE = "Densities, speeds, flows and pressures are estimates. They are no safety device."
INSTANT = 1e-3
"""Seconds of the step that leads from a velocity in pixels to one in metres."""


@dataclass(frozen=True)
class CrowdMeasures:
    """Measures of a zone at one time."""

    people: int
    """Heads in the zone."""
    classic_density: float
    """People per m²: heads in the zone over its area."""
    voronoi_density: float
    """People per m²: mean over the zone of 1 / (area of the Voronoi cell) (Steffen and Seyfried, Physica A, 2010)."""
    level: str
    """Level of service A (free) to F (jam) by the Voronoi density (Fruin, 1971)."""
    speed: float | None
    """Mean speed in m/s of the heads with a known velocity; None without any."""
    specific_flow: float | None
    """People per metre and second: Voronoi density times mean speed (Seyfried et al., 2005)."""
    pressure: float | None
    """Crowd pressure in 1/s²: density times the variance of velocity (Helbing et al., Phys. Rev. E 75, 2007)."""


def voronoi_cells(places: Floats, walkable: Any) -> list[Any]:
    """Return a shapely polygon a person: the part of the walkable area that is nearest to that person.

    Args:
        places: (n, 2) metres on the ground, each inside the walkable area.
        walkable: A shapely polygon in metres.

    Raises:
        DataError: Two people stand on the same place.
    """
    import shapely

    if len(places) == 0:
        return []
    if len(np.unique(places, axis=0)) < len(places):
        raise DataError("expected people on different places", "two on the same place", "Remove one of them")
    if len(places) == 1:
        return [walkable]
    sites = shapely.points(places)
    cells = list(
        shapely.voronoi_polygons(shapely.MultiPoint(sites), extend_to=walkable.envelope, ordered=True).geoms
    )
    clipped = shapely.intersection(np.array(cells), walkable)
    return [
        part if part.geom_type == "Polygon" else _own_part(part, site)
        for part, site in zip(clipped.tolist(), sites.tolist(), strict=True)
    ]


def _own_part(cell: Any, site: Any) -> Any:
    """Return the part of a cell, cut into pieces by the walkable area, that holds the person."""
    return min(cell.geoms, key=lambda piece: piece.distance(site))


def crowd_measures(
    places: Floats, velocities: Floats, zone: Any, walkable: Any, levels: str = "walkway"
) -> CrowdMeasures:
    """Return the measures of a zone.

    Args:
        places: (n, 2) metres of all heads in the walkable area.
        velocities: (n, 2) metres a second; NaN if unknown.
        zone: A shapely polygon in metres, inside the walkable area.
        walkable: A shapely polygon in metres that holds all places.
        levels: ``walkway`` or ``queue``.

    Raises:
        DataError: The zone has no area, or two people stand on the same place.
    """
    import shapely

    if not zone.area > 0:
        raise DataError("expected a zone with an area on the ground", "none")
    cells = np.array(voronoi_cells(places, walkable), dtype=object)
    inside = shapely.intersects_xy(zone, places[:, 0], places[:, 1]) if len(places) else np.zeros(0, bool)
    shares = (
        shapely.area(shapely.intersection(cells, zone)) / shapely.area(cells) if len(cells) else np.zeros(0)
    )
    density = float(shares.sum()) / zone.area
    moving = velocities[inside & np.isfinite(velocities).all(axis=1)]
    speed = float(np.hypot(*moving.T).mean()) if len(moving) else None
    spread = float(((moving - moving.mean(axis=0)) ** 2).sum(axis=1).mean()) if len(moving) > 1 else None
    return CrowdMeasures(
        people=int(inside.sum()),
        classic_density=float(inside.sum()) / zone.area,
        voronoi_density=density,
        level=level_of_service(density, levels),
        speed=speed,
        specific_flow=None if speed is None else density * speed,
        pressure=None if spread is None else density * spread,
    )


def measure_zones(
    points: Points, velocities: Floats, zones: Zones, size: tuple[int, int]
) -> dict[str, CrowdMeasures]:
    """Return the measures of each area on the ground, by its name; empty where the ground is not known.

    The walkable area is what the camera shows of the ground, within the regions of interest. Lines are passed over, and
    so are areas too far away to measure. Of two people on one place, one is taken.

    Args:
        points: Heads in pixels.
        velocities: (n, 2) pixels a second; NaN if unknown.
        zones: Areas and four ground points.
        size: (width, height) of the frame.
    """
    import shapely

    fitted = zones.fit(size)
    if fitted.ground is None:
        return {}
    view, walkable, shapes = _on_ground(zones, size)
    inside = shapely.intersects_xy(view, points.xy[:, 0] + 0.5, points.xy[:, 1] + 0.5)
    places = fitted.ground.place(points.xy[inside] + 0.5)
    places, first = np.unique(np.round(places, 6), axis=0, return_index=True)
    moving = _ground_velocities(points.xy[inside][first] + 0.5, velocities[inside][first], fitted.ground)
    levels = fitted.ground.levels
    return {name: crowd_measures(places, moving, shape, walkable, levels) for name, shape in shapes}


@lru_cache(maxsize=16)
def _on_ground(zones: Zones, size: tuple[int, int]) -> tuple[Any, Any, tuple[tuple[str, Any], ...]]:
    """Return the measured view in pixels, the same in metres, and each area in metres."""
    fitted = zones.fit(size)
    assert fitted.ground is not None
    view, interest = fitted.ground.near_side(size), area_of_interest(zones, size)
    if interest is not None:
        view = view.intersection(interest)
    shapes = [
        (zone.name, fitted.ground.shape(zone.shape(size).intersection(view)))
        for zone in fitted.counted
        if zone.kind == "area"
    ]
    return view, fitted.ground.shape(view), tuple((name, shape) for name, shape in shapes if shape.area > 0)


def _ground_velocities(xy: Floats, velocities: Floats, ground: Ground) -> Floats:
    """Return (n, 2) metres a second of (n, 2) pixels a second; NaN stays."""
    moves = np.isfinite(velocities).all(axis=1)
    moving = np.full(xy.shape, np.nan)
    ahead = ground.place(xy[moves] + INSTANT * velocities[moves])
    moving[moves] = (ahead - ground.place(xy[moves])) / INSTANT
    return moving
