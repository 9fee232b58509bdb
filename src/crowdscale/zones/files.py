"""Zones from files: our own JSON, polygons exported by Label Studio, or by CVAT; told apart by what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from crowdscale.data.formats.labelstudio import is_labelstudio
from crowdscale.errors import DataError
from crowdscale.files.documents import read_json, read_xml
from crowdscale.zones.alarms import AlarmRule
from crowdscale.zones.ground import Ground, metres_from_sides
from crowdscale.zones.zone import Zone, Zones, as_corners

__all__ = ["read_zones", "zones_from_json"]


def read_zones(path: Path) -> Zones:
    """Return the zones of a file.

    Raises:
        DataError: It is missing, holds something else, or zones that cannot be.
    """
    if not path.is_file():
        raise DataError(
            "expected a file of zones", f"nothing at {path}", "Draw them: crowdscale zones edit PHOTO"
        )
    if path.suffix.lower() == ".xml":
        return _from_cvat(path)
    content = read_json(path)
    return (
        _from_labelstudio(content, path) if is_labelstudio(content) else zones_from_json(content, str(path))
    )


def zones_from_json(content: Any, where: str) -> Zones:
    """Return zones of our own JSON. Raises DataError."""
    if not isinstance(content, dict) or not isinstance(content.get("zones"), list):
        raise DataError('expected JSON with "zones", a list', f"something else in {where}")
    _refuse_unknown(content, ("format", "size", "zones", "ground"), where)
    zones = tuple(_zone(each, where) for each in content["zones"])
    size = content.get("size")
    if size is not None:
        ((width, height),) = as_corners([size], "the size")
        size = (int(width), int(height))
    return Zones(zones, _ground(content["ground"], where) if content.get("ground") else None, size)


def _refuse_unknown(content: dict[str, Any], known: Iterable[str], where: str) -> None:
    unknown = sorted(set(content) - set(known))
    if unknown:
        raise DataError(f"expected {', '.join(known)} in {where}", ", ".join(unknown))


def _zone(content: Any, where: str) -> Zone:
    if not isinstance(content, dict) or "name" not in content or "points" not in content:
        raise DataError(f"expected a name and points of each zone in {where}", repr(content)[:80])
    _refuse_unknown(content, [field.name for field in fields(Zone)], f"zone {content['name']}")
    values = dict(content)
    values["name"] = str(content["name"])
    values["points"] = as_corners(content["points"], f"the points of zone {content['name']}")
    if content.get("alarm") is not None:
        values["alarm"] = _alarm(content["alarm"], values["name"])
    try:
        return Zone(**values)
    except TypeError as error:
        raise DataError(f"expected numbers where zone {content['name']} has them", str(error)) from error


def _alarm(content: Any, name: str) -> AlarmRule:
    if not isinstance(content, dict) or "above" not in content:
        raise DataError(f'expected the alarm of zone {name} with "above"', repr(content)[:80])
    _refuse_unknown(content, [field.name for field in fields(AlarmRule)], f"the alarm of zone {name}")
    try:
        return AlarmRule(**{**content, "command": tuple(content.get("command", ()))})
    except TypeError as error:
        raise DataError(f"expected numbers in the alarm of zone {name}", str(error)) from error


def _ground(content: Any, where: str) -> Ground:
    if not isinstance(content, dict) or "points" not in content:
        raise DataError(f'expected "points" of the ground in {where}', repr(content)[:80])
    _refuse_unknown(content, ("points", "metres", "sides", "diagonal", "levels"), f"the ground in {where}")
    points = as_corners(content["points"], "the ground points")
    if "metres" in content:
        metres = as_corners(content["metres"], "the ground points in metres")
    else:
        try:
            sides = tuple(float(side) for side in content["sides"])
            diagonal = float(content["diagonal"])
        except (KeyError, TypeError, ValueError):
            raise DataError(
                'expected "metres" of the ground points, or their four "sides" AB, BC, CD, DA and "diagonal" AC',
                ", ".join(content),
            ) from None
        if len(sides) != 4 or len(points) != 4:
            raise DataError("expected four ground points and four sides", f"{len(points)} and {len(sides)}")
        turns = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, (*points[1:], points[0]), strict=True))
        metres = metres_from_sides(sides, diagonal, clockwise=turns > 0)
    return Ground(points, metres, str(content.get("levels", "walkway")))


def _from_labelstudio(content: Any, path: Path) -> Zones:
    """Polygons of the first task; percent of the picture become shares."""
    zones: list[Zone] = []
    size = None
    try:
        valid = [each for each in content[0].get("annotations", []) if not each.get("was_cancelled")]
        for each in valid[-1]["result"] if valid else []:
            if each.get("type") != "polygonlabels":
                continue
            size = (int(each["original_width"]), int(each["original_height"]))
            corners = as_corners([(x / 100, y / 100) for x, y in each["value"]["points"]], "polygons")
            zones.append(Zone(_free(each["value"]["polygonlabels"][0], zones), corners, relative=True))
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise DataError("expected the JSON export of Label Studio", f"{path} ({error!r})") from error
    if not zones:
        raise DataError(f"expected polygons in {path}", "none")
    return Zones(tuple(zones), None, size)


def _from_cvat(path: Path) -> Zones:
    """Polygons, boxes and polylines of the first image that has any."""
    for image in read_xml(path).iter("image"):
        zones: list[Zone] = []
        try:
            size = (int(image.get("width", "")), int(image.get("height", "")))
            for shape in image:
                if shape.tag in ("polygon", "polyline"):
                    corners = tuple(_pair(pair) for pair in shape.get("points", "").split(";"))
                elif shape.tag == "box":
                    left, top, right, bottom = (float(shape.get(k, "")) for k in ("xtl", "ytl", "xbr", "ybr"))
                    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
                else:
                    continue
                name = _free(shape.get("label", "zone"), zones)
                zones.append(Zone(name, corners, "line" if shape.tag == "polyline" else "area"))
        except ValueError as error:
            raise DataError(f"expected numbers in {path}", str(error)) from error
        if zones:
            return Zones(tuple(zones), None, size)
    raise DataError(f"expected polygons, boxes or polylines in {path}", "none")


def _pair(text: str) -> tuple[float, float]:
    x, y = text.split(",")
    return float(x), float(y)


def _free(name: str, zones: list[Zone]) -> str:
    """Return the name, numbered where zones before it have it: labels are no names."""
    taken = {zone.name for zone in zones}
    return next(
        each for each in (name, *(f"{name} {n}" for n in range(2, len(zones) + 3))) if each not in taken
    )
