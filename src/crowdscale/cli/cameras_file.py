"""The file of ``--cameras``: a ``[[camera]]`` each, in TOML."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from crowdscale.cli.options import read_zones_file, seconds_of, turn_of_option
from crowdscale.errors import OptionError
from crowdscale.files.documents import read_text, shaped
from crowdscale.files.names import address_of
from crowdscale.video.dates import Calendar, time_zone
from crowdscale.video.frame import SourceOptions
from crowdscale.video.several import Camera
from crowdscale.video.watch import WatchOptions

__all__ = ["read_cameras"]

LONGEST_NAME = 80


class Described(msgspec.Struct, forbid_unknown_fields=True):
    """One ``[[camera]]``; what it leaves out is that of the command line."""

    name: str
    source: str
    zones: str | None = None
    rows: str | None = None
    every: str | float | None = None
    smooth: bool | None = None
    follow: bool | None = None
    turn: str | int | None = None
    fps: float | None = None
    timeout: float | None = None
    retries: int | None = None


class Content(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    camera: list[Described]
    time_zone: str | None = None
    mqtt: str | None = None


def read_cameras(
    path: Path, options: WatchOptions, opening: SourceOptions, zone: str | None = None
) -> tuple[list[Camera], str | None]:
    """Return the cameras of a .toml file and the address of its broker.

    Args:
        path: The file; other files in it are found from its folder.
        options: Of cameras that say nothing else.
        opening: The same.
        zone: Time zone of the rows.

    Raises:
        CrowdscaleError: It is no such file, or a camera in it cannot be.
    """
    if not path.is_file():
        raise OptionError.plain(f"no such file of cameras: {path}")
    try:
        plain = tomllib.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise OptionError("expected a .toml file of cameras", f"{path} ({error})") from error
    content = shaped(plain, Content, "file of cameras", path)
    zone = zone or content.time_zone
    options = replace(options, calendar=Calendar(None if zone is None else time_zone(zone)))
    cameras = [_camera(each, path.parent, options, opening) for each in content.camera]
    _check(cameras, path)
    return cameras, None if content.mqtt is None else address_of(content.mqtt)


def _camera(each: Described, folder: Path, options: WatchOptions, opening: SourceOptions) -> Camera:
    every = options.every if each.every is None else seconds_of(str(each.every))
    watching: dict[str, Any] = {"smooth": each.smooth, "follow": each.follow}
    if each.turn is not None:
        watching["turn"] = turn_of_option(str(each.turn))
    reaching: dict[str, Any] = {"fps": each.fps, "timeout": each.timeout, "retries": each.retries}
    zones = None if each.zones is None else folder / each.zones
    return Camera(
        each.name,
        _found(address_of(each.source), folder),
        replace(opening, **{name: value for name, value in reaching.items() if value is not None}),
        replace(
            options, every=every, **{name: value for name, value in watching.items() if value is not None}
        ),
        read_zones_file(zones),
        zones,
        None if each.rows is None else folder / each.rows,
    )


def _found(source: str, folder: Path) -> str:
    """Return a film's path as seen from here; cameras and addresses stay."""
    beside = folder / source
    return str(beside) if "://" not in source and not source.isdigit() and beside.exists() else source


def _check(cameras: list[Camera], path: Path) -> None:
    """Refuse no cameras, and two of a name or of a file. Raises OptionError."""
    if not cameras:
        raise OptionError("expected at least one [[camera]]", f"none in {path}")
    names = [camera.name for camera in cameras]
    for name in names:
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise OptionError(
                f"expected a camera's name of 1 to {LONGEST_NAME} signs", repr(name[: LONGEST_NAME + 1])
            )
    files = [str(camera.rows.resolve()) for camera in cameras if camera.rows is not None]
    for what, values in (("name", names), ("file of rows", files)):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise OptionError(f"expected another {what} for each camera in {path}", f"{twice} twice")
    for file in files:
        if Path(file).suffix.lower() not in (".csv", ".jsonl"):
            raise OptionError("expected rows as .csv or .jsonl", file)
