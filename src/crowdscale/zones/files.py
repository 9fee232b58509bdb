"""Zones from files and into them: our own JSON, GeoJSON, plain lists, or shapes of Label Studio, CVAT, LabelMe, VIA or COCO."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from crowdscale.errors import CrowdscaleError, DataError
from crowdscale.files.documents import FARTHEST, read_json, shaped
from crowdscale.files.writing import write_atomic
from crowdscale.zones.alarms import AlarmRule
from crowdscale.zones.drawn import zones_from_cvat, zones_from_tool
from crowdscale.zones.ground import Corners, Ground, metres_from_sides
from crowdscale.zones.plain import corners_from, zones_from_plain
from crowdscale.zones.zone import Zone, Zones, as_corners

__all__ = ["read_zones", "write_zones", "zones_from_json", "zones_json"]


def read_zones(path: Path) -> Zones:
    """Return the zones of a file.

    Raises:
        DataError: It is missing, holds something else, or zones that cannot be.
    """
    if not path.is_file():
        raise DataError.plain(
            f"no such file of zones: {path}", f"Draw them: crowdscale zones edit PHOTO --out {path}"
        )
    try:
        return _zones_of(path)
    except DataError as error:
        if str(path) in str(error):
            raise
        raise DataError.plain(f"{path}: {error}") from error


def _zones_of(path: Path) -> Zones:
    if path.suffix.lower() == ".xml":
        return zones_from_cvat(path)
    content = read_json(path)
    drawn = zones_from_tool(content, path) or zones_from_plain(content, path)
    return zones_from_json(content, str(path)) if drawn is None else drawn


def zones_from_json(content: Any, where: str) -> Zones:
    """Return zones of our own JSON. Raises DataError."""
    if not isinstance(content, dict) or not isinstance(content.get("zones"), list):
        raise DataError('expected JSON with "zones", a list', f"something else in {where}")
    _refuse_unknown(content, ("format", "size", "zones", "ground"), where)
    zones = tuple(_zone(each, where) for each in content["zones"])
    size = content.get("size")
    if size is not None:
        ((width, height),) = _corners([size], "the size")
        if min(width, height) < 1:
            raise DataError(f"expected the size of the picture in {where}", repr(size))
        size = (int(width), int(height))
    return Zones(zones, _ground(content["ground"], where) if content.get("ground") else None, size)


def _corners(values: Any, what: str) -> Corners:
    """Return corners of moderate numbers. Raises DataError."""
    try:
        corners = as_corners(values, what)
    except OverflowError:
        corners = ((FARTHEST * 2, 0.0),)
    if not all(abs(number) <= FARTHEST for pair in corners for number in pair):
        raise DataError(f"expected {what} in pixels", repr(values)[:80])
    return corners


def _refuse_unknown(content: dict[str, Any], allowed: Iterable[str], where: str) -> None:
    unknown = sorted(set(content) - set(allowed))
    if unknown:
        raise DataError(f"expected {', '.join(allowed)} in {where}", ", ".join(unknown))


def _zone(content: Any, where: str) -> Zone:
    if not isinstance(content, dict) or "name" not in content or "points" not in content:
        raise DataError(f"expected a name and points of each zone in {where}", repr(content)[:80])
    if not isinstance(content["name"], (str, int, float)):
        raise DataError(f"expected text as the name of each zone in {where}", repr(content["name"])[:80])
    name = str(content["name"])
    _refuse_unknown(content, [field.name for field in fields(Zone)], f"zone {name}")
    corners = corners_from(content["points"], f"the points of zone {name}")
    _check_pixels(corners, content, name)
    values = {**content, "name": name, "points": corners}
    values |= {
        key: _rings(content[key], f"{key} of zone {name}") for key in ("holes", "more") if key in content
    }
    if content.get("alarm") is not None:
        values["alarm"] = _alarm(content["alarm"], name)
    try:
        zone = Zone(**values)
    except CrowdscaleError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"expected numbers where zone {name} has them", str(error)) from error
    plain = {
        key: value
        for key, value in content.items()
        if key not in ("name", "points", "alarm", "holes", "more")
    }
    shaped(
        {**plain, "name": name, "points": ((0, 0), (1, 0), (0, 1))}, Zone, "zone", f"zone {name} in {where}"
    )
    return zone


def _rings(values: Any, what: str) -> tuple[Corners, ...]:
    """Return the corners of several rings. Raises DataError."""
    if not isinstance(values, list):
        raise DataError(f"expected {what} as a list of corners", repr(values)[:80])
    return tuple(corners_from(ring, what) for ring in values)


def _check_pixels(corners: Corners, content: dict[str, Any], name: str) -> None:
    """Refuse shares of the picture that are taken for pixels: such a zone holds nobody."""
    if content.get("relative") or not corners:
        return
    if all(-1 <= number <= 1 for pair in corners for number in pair):
        raise DataError(
            f"expected the corners of zone {name} in pixels",
            "all of them within one pixel",
            'Add "relative": true to the zone if they are shares of the picture',
        )


def _alarm(content: Any, name: str) -> AlarmRule:
    if not isinstance(content, dict) or "above" not in content:
        raise DataError(f'expected the alarm of zone {name} with "above"', repr(content)[:80])
    _refuse_unknown(content, [field.name for field in fields(AlarmRule)], f"the alarm of zone {name}")
    return shaped(content, AlarmRule, "alarm", f"the alarm of zone {name}")


def _ground(content: Any, where: str) -> Ground:
    if not isinstance(content, dict) or "points" not in content:
        raise DataError(f'expected "points" of the ground in {where}', repr(content)[:80])
    _refuse_unknown(content, ("points", "metres", "sides", "diagonal", "levels"), f"the ground in {where}")
    points = _corners(content["points"], "the ground points")
    if "metres" in content:
        metres = _corners(content["metres"], "the ground points in metres")
    else:
        metres = _metres(content, points)
    return Ground(points, metres, str(content.get("levels", "walkway")))


def _metres(content: dict[str, Any], points: Corners) -> Corners:
    """Return four ground points in metres from their sides and a diagonal. Raises DataError."""
    try:
        sides = tuple(float(side) for side in content["sides"])
        diagonal = float(content["diagonal"])
        sound = all(0 < side <= FARTHEST for side in (*sides, diagonal))
    except (KeyError, TypeError, ValueError, OverflowError):
        sides, diagonal, sound = (), 0.0, False
    if not sound:
        raise DataError(
            'expected "metres" of the ground points, or their four "sides" AB, BC, CD, DA and "diagonal" AC',
            ", ".join(content),
        )
    if len(sides) != 4 or len(points) != 4:
        raise DataError("expected four ground points and four sides", f"{len(points)} and {len(sides)}")
    turns = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, (*points[1:], points[0]), strict=True))
    return metres_from_sides(sides, diagonal, clockwise=turns > 0)


def zones_json(zones: Zones) -> dict[str, Any]:
    """Return zones as plain values for JSON, without those that are not set."""

    def is_set(value: Any) -> bool:
        return value is not None and value is not False and value not in ((), [])

    def plain(value: Any) -> dict[str, Any]:
        values = {key: each for key, each in asdict(value).items() if is_set(each)}
        return {**values, "alarm": plain(value.alarm)} if getattr(value, "alarm", None) else values

    content: dict[str, Any] = {"format": 1}
    if zones.size is not None:
        content["size"] = zones.size
    content["zones"] = [plain(zone) for zone in zones.zones]
    if zones.ground is not None:
        content["ground"] = plain(zones.ground)
    return content


def write_zones(path: Path, zones: Zones) -> None:
    """Write zones as JSON, atomically."""
    text = json.dumps(zones_json(zones), indent=1) + "\n"
    write_atomic(path, lambda stream: stream.write(text.encode()))
