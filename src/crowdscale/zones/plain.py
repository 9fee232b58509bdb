"""Zones from GeoJSON and from plain lists of corners, as trackers and scripts keep them; shares of the picture are detected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crowdscale.errors import DataError
from crowdscale.files.documents import FARTHEST
from crowdscale.zones.zone import Zone, Zones

__all__ = ["corners_from", "zones_from_plain"]

Corners = tuple[tuple[float, float], ...]
NAMES = ("name", "label", "title", "id")
"""Properties of GeoJSON that name a zone, in this order."""


def zones_from_plain(content: Any, path: Path) -> Zones | None:
    """Return the zones of GeoJSON, of a list of polygons, or of polygons by name; None where it is none of them.

    Corners that all lie between 0 and 1 are shares of the picture's width and height. GeoJSON holds pixels, its y pointing
    down.

    Raises:
        DataError: Corners that are no pairs of numbers, or no shape for a zone.
    """
    if isinstance(content, dict) and content.get("type") in ("FeatureCollection", "Feature", *GEOMETRIES):
        drawn = list(_from_geojson(content, path))
    elif isinstance(content, list) and content and not isinstance(content[0], dict):
        polygons = [content] if _is_ring(content) else content
        drawn = [
            Zone(f"zone {n}" if n > 1 else "zone", **_area([ring], path))
            for n, ring in enumerate(polygons, 1)
        ]
    elif _is_named(content):
        drawn = [Zone(str(name), **_area(_parts(value), path)) for name, value in content.items()]
    else:
        return None
    if not drawn:
        raise DataError(f"expected polygons or lines in {path}", "none")
    return Zones(tuple(drawn))


def corners_from(values: Any, what: str) -> Corners:
    """Return corners of ``[[x, y], …]``, of ``[x, y, x, y, …]`` or of ``"x,y,x,y,…"``.

    Raises:
        DataError: Something else, or numbers beyond any picture.
    """
    try:
        if isinstance(values, str):
            values = [float(number) for number in values.split(",")]
        if values and all(isinstance(number, (int, float)) for number in values):
            values = list(zip(values[::2], values[1::2], strict=True))
        corners = tuple((float(x), float(y)) for x, y, *_ in values)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"expected {what} as pairs [x, y] of numbers", repr(values)[:80]) from None
    if not all(abs(number) <= FARTHEST for pair in corners for number in pair):
        raise DataError(f"expected {what} in pixels", repr(values)[:80])
    return corners


def _is_ring(value: Any) -> bool:
    """Whether a list is one polygon: pairs of numbers, or numbers in a row."""
    first = value[0] if value else None
    if isinstance(first, (int, float)):
        return True
    return isinstance(first, list) and len(first) == 2 and all(isinstance(n, (int, float)) for n in first)


def _parts(value: Any) -> Sequence[Any]:
    """Return the rings of a zone: one, or several."""
    return [value] if isinstance(value, str) or _is_ring(value) else value


def _is_named(content: Any) -> bool:
    """Whether a dictionary holds polygons by name, or cameras' coordinates in text."""
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(value, (list, str)) and value for value in content.values())
        and not {"zones", "images", "annotations", "shapes"} & content.keys()
    )


def _area(rings: Sequence[Any], path: Path, holes: Sequence[Any] = ()) -> dict[str, Any]:
    """Return the points, further parts and holes of an area, and whether they are shares."""
    what = f"the corners in {path}"
    first, *more = (corners_from(ring, what) for ring in rings)
    cut = tuple(corners_from(hole, what) for hole in holes)
    return {"points": first, "more": tuple(more), "holes": cut, "relative": _is_share(first, *more, *cut)}


def _is_share(*rings: Corners) -> bool:
    numbers = [number for ring in rings for pair in ring for number in pair]
    return bool(numbers) and all(0 <= number <= 1 for number in numbers)


GEOMETRIES = ("Polygon", "MultiPolygon", "LineString")


def _from_geojson(content: Mapping[str, Any], path: Path) -> Iterator[Zone]:
    features = content.get("features") if content["type"] == "FeatureCollection" else [content]
    if not isinstance(features, list):
        raise DataError(f"expected features in {path}", repr(features)[:80])
    taken: set[str] = set()
    for feature in features:
        zone = _from_feature(feature, path, taken)
        if zone is not None:
            taken.add(zone.name)
            yield zone


def _from_feature(feature: Any, path: Path, taken: set[str]) -> Zone | None:
    """Return the zone of a feature; None for points."""
    if not isinstance(feature, dict):
        raise DataError(f"expected features in {path}", repr(feature)[:80])
    geometry = feature.get("geometry") if feature.get("type") == "Feature" else feature
    if not isinstance(geometry, dict) or geometry.get("type") not in GEOMETRIES:
        return None
    kind = geometry["type"]
    rings = geometry.get("coordinates")
    if not isinstance(rings, list) or not rings:
        raise DataError(f"expected coordinates of a {kind} in {path}", repr(rings)[:80])
    name = _name(feature.get("properties"), taken)
    if kind == "LineString":
        points = corners_from(rings, f"the corners in {path}")
        return Zone(name, points, "line", relative=_is_share(points))
    polygons = [rings] if kind == "Polygon" else rings
    if not all(isinstance(polygon, list) and polygon for polygon in polygons):
        raise DataError(f"expected rings of a {kind} in {path}", repr(rings)[:80])
    holes = [hole for polygon in polygons for hole in polygon[1:]]
    return Zone(name, **_area([polygon[0] for polygon in polygons], path, holes))


def _name(properties: Any, taken: set[str]) -> str:
    """Return the name of a feature, numbered where one before it has it."""
    values = properties if isinstance(properties, dict) else {}
    name = next((str(values[key]) for key in NAMES if values.get(key)), "zone")
    return next(
        each for each in (name, *(f"{name} {n}" for n in range(2, len(taken) + 3))) if each not in taken
    )
