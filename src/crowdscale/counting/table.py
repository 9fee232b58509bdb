"""The one schema of results: every file and every API uses these names, types and units.

A class is a table and a field is a column. Its metadata hold the unit, the description and the former names, from
which ``docs/files-and-columns.md`` and the JSON schema are generated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crowdscale.counting.hints import notes_with_hints

if TYPE_CHECKING:
    from crowdscale.counting.prediction import Prediction
    from crowdscale.points import Points

__all__ = [
    "RECORDS",
    "VERSION",
    "Column",
    "CrowdColumns",
    "EvaluationRow",
    "EventRecord",
    "FrameRow",
    "LineColumns",
    "LineRecord",
    "PhotoRow",
    "RegionRecord",
    "StayColumns",
    "ZoneRecord",
    "after_name",
    "columns",
    "current_names",
    "photo_row",
    "plain",
    "rounded",
    "zone_records",
]

VERSION = 1
"""Of the schema: it rises when a name, a type or a meaning changes."""

LEVEL = "0.9"
"""Level of the interval in ``count_low`` and ``count_high``."""


class Column(NamedTuple):
    """One column of a table."""

    name: str
    kind: str
    """A key of ``encoding.KINDS`` or of ``RECORDS``."""
    unit: str
    description: str
    former: tuple[str, ...]
    """Names before this version, which readers accept for one release."""
    decimals: int | None
    """Of a number in CSV, Parquet and JSON lines; None where nothing is rounded."""


def column(
    kind: str,
    description: str,
    unit: str = "",
    former: tuple[str, ...] = (),
    decimals: int | None = None,
    default: Any = MISSING,
) -> Any:
    """Return a dataclass field with its column in the metadata; a list is empty by default."""
    content = {"kind": kind, "unit": unit, "description": description, "former": former, "decimals": decimals}
    if default is list:
        return field(default_factory=list, metadata=content)
    return field(metadata=content) if default is MISSING else field(default=default, metadata=content)


def columns(table: type) -> tuple[Column, ...]:
    """Return the columns of a table in their order."""
    return tuple(Column(each.name, **each.metadata) for each in fields(table))


@dataclass(frozen=True)
class RegionRecord:
    """A dense region with its second pass."""

    box: list[int] = column("box", "left, top, right, bottom in the upright original", "pixels")
    zoom: float = column("number", "side factor of the enlargement", "", ("factor",), 4)
    first_pass_count: float = column(
        "number", "people in the box by the first pass", "people", ("count_before",), 3
    )
    count: float = column("number", "people in the box by the second pass", "people", ("count_after",), 3)
    capped: bool = column("boolean", "whether the limit of pixels lowered the zoom", default=False)


@dataclass(frozen=True)
class ZoneRecord:
    """The people of one zone."""

    name: str = column("text", "name of the zone")
    count: float = column("number", "people in the zone", "people", ("people",), 3)
    heads: int | None = column("integer", "located heads in the zone", "heads", ("dots",), default=None)
    capacity: int | None = column("integer", "people the zone may hold", "people", default=None)
    square_metres: float | None = column("number", "area on the ground", "m²", (), 4, None)
    per_square_metre: float | None = column("number", "people per square metre", "people/m²", (), 4, None)
    level: str | None = column("text", "level of service, A (free) to F (jam)", default=None)


@dataclass(frozen=True)
class LineRecord:
    """The people who crossed one line since the watch began."""

    name: str = column("text", "name of the line")
    forward: int = column(
        "integer", "people who crossed from its left to its right, as its points run", "people"
    )
    backward: int = column("integer", "people who crossed the other way", "people")
    forward_per_minute: float | None = column(
        "number", "forward in the last minute", "people/min", decimals=2, default=None
    )
    backward_per_minute: float | None = column(
        "number", "backward in the last minute", "people/min", decimals=2, default=None
    )


@dataclass(frozen=True)
class EventRecord:
    """An alarm of a zone that was raised or cleared."""

    zone: str = column("text", "name of the zone")
    kind: str = column("text", "`raised` or `cleared`")
    count: float | None = column("number", "people in the zone", "people", decimals=2, default=None)
    clock: str | None = column("text", "date and clock of the frame (ISO 8601)", default=None)


@dataclass(frozen=True)
class PhotoRow:
    """One photo: its people, or the sentence that explains the missing count."""

    photo: str = column("text", "path or address of the photo")
    count: float | None = column("number", "people in the photo", "people", ("people",), 3, None)
    count_low: int | None = column(
        "integer",
        "low end of the 90 % interval of the count; empty for a model without calibration and for a photo with "
        "warnings",
        "people",
        ("low_90",),
        default=None,
    )
    count_high: int | None = column(
        "integer", "high end of the 90 % interval of the count", "people", ("high_90",), default=None
    )
    first_pass_count: float | None = column(
        "number", "people by the first pass alone", "people", ("first_count", "first_pass"), 3, None
    )
    model: str = column("text", "name of the model", default="")
    width: int | None = column("integer", "width of the upright original", "pixels", default=None)
    height: int | None = column("integer", "height of the upright original", "pixels", default=None)
    read_scale: float | None = column(
        "number", "side factor at which the photo is read; below 1 it is reduced", "", ("reduction",), 6, None
    )
    tiles: int | None = column("integer", "tiles in which the photo is read", "tiles", default=None)
    seconds: float | None = column("number", "time from pixels to result", "s", (), 4, None)
    regions: list[RegionRecord] = column(
        "regions", "dense regions with a second pass, the largest first", default=list
    )
    zones: list[ZoneRecord] = column("zones", "people in each zone of --zones", default=list)
    heads: list[list[float]] | None = column(
        "heads",
        "x, y, confidence of each located head: the probability that a person is there, if the model is calibrated",
        "pixels",
        ("points",),
        3,
        None,
    )
    intervals: dict[str, list[int]] | None = column(
        "intervals", "low and high end of the count by level, such as 0.9", "people", default=None
    )
    interval_of: str = column(
        "text", "for which photos the 90 % interval holds; empty without an interval", default=""
    )
    turn: int = column(
        "integer",
        "by how much --turn turned the photo clockwise; width, height and positions are those of the turned photo",
        "degrees",
        default=0,
    )
    warnings: list[str] = column(
        "texts",
        "a sentence for each way in which the photo differs from the training photos, and for each guess at its values",
        default=list,
    )
    notes: list[str] = column(
        "texts",
        "a sentence for each choice in reading the file, such as the page of a TIFF, and the option of `crowdscale "
        "count` that answers a warning",
        default=list,
    )
    usable: bool = column(
        "boolean",
        "whether the count may be used; not for a photo that is unlike all training photos",
        default=True,
    )
    calibrated: bool = column(
        "boolean",
        "whether the model was calibrated with photos of your own, by `models calibrate`; the intervals of a bundled "
        "model hold for photos like those trained on",
        default=False,
    )
    calibrated_heads: bool = column(
        "boolean",
        "whether the confidences of heads are probabilities; else they order heads alone",
        default=False,
    )
    error: str = column("text", "the sentence that explains a missing count or picture", default="")

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain values, its numbers exact."""
        return plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PhotoRow:
        """Return the row of plain values, under current or former names."""
        named = current_names(cls, values)
        for name, record in (("regions", RegionRecord), ("zones", ZoneRecord)):
            named[name] = [record(**current_names(record, each)) for each in named.get(name) or ()]
        return cls(**named)


@dataclass(frozen=True)
class FrameRow:
    """One counted frame of a video: ``watch --rows``. Each zone and line adds its own columns before ``alarms``."""

    time: float = column("number", "time from the first frame", "s", (), 3)
    clock: str | None = column(
        "text",
        "date and clock of the frame with the offset of its time zone (ISO 8601): arrival at a camera, --start or the "
        "film's own record; empty where nobody knows it",
    )
    frame: int = column("integer", "number of the frame in the source")
    count: float = column("number", "people in the frame", "people", ("people",), 2)
    count_low: int | None = column(
        "integer", "low end of the 90 % interval of the count; empty for a frame with warnings", "people"
    )
    count_high: int | None = column("integer", "high end of the 90 % interval of the count", "people")
    smoothed: float | None = column("number", "count smoothed over time, with --smooth", "people", (), 2)
    alarms: str = column("text", "alarms that change at this frame, such as `door raised`")
    raised: list[str] = column(
        "texts", "zones whose alarm stands at this frame; a later run starts with them"
    )
    warnings: list[str] = column(
        "texts", "a sentence for each way in which the frame differs from the training photos, or is damaged"
    )
    usable: bool = column(
        "boolean", "whether the count may be used; not for a frame unlike all training photos"
    )
    seconds: float = column("number", "time that the count takes", "s", (), 3)
    dropped: int = column("integer", "frames of a live source that passed uncounted so far", "frames")


@dataclass(frozen=True)
class LineColumns:
    """What a line adds to a frame: each column after the name of the line."""

    forward: int = column(
        "integer", "people who crossed from its left to its right so far, as its points run", "people"
    )
    backward: int = column("integer", "people who crossed the other way so far", "people")
    net: int = column("integer", "forward less backward", "people")
    forward_per_minute: float | None = column(
        "number",
        "forward in the last minute, or since the start or a gap; empty for the first ten seconds",
        "people/min",
        (),
        2,
    )
    backward_per_minute: float | None = column("number", "backward in the same time", "people/min", (), 2)


@dataclass(frozen=True)
class StayColumns:
    """What an area adds to a frame where heads are followed: each column after the name of the area."""

    different: int = column("integer", "tracks in the area so far", "people")
    entered: int = column("integer", "tracks that came in so far", "people")
    left: int = column("integer", "tracks that went out so far", "people")
    median_stay: float | None = column("number", "median time in the area of those who left", "s", (), 1)
    stay_90th_percentile: float | None = column("number", "90th percentile of the same", "s", (), 1)


@dataclass(frozen=True)
class CrowdColumns:
    """What an area on the ground adds to a frame where heads are followed: each column after the name of the area."""

    voronoi_per_m2: float = column("number", "mean density by Voronoi cells", "people/m²", (), 4)
    speed: float | None = column("number", "mean speed", "m/s", (), 4)
    specific_flow: float | None = column("number", "density times speed", "people/(m s)", (), 4)
    pressure: float | None = column("number", "density times variance of velocity", "1/s²", (), 4)


@dataclass(frozen=True)
class EvaluationRow:
    """One annotated photo: ``evaluate --csv``.

    Each threshold, such as 4px, adds ``matched_4px`` and ``first_pass_matched_4px``: the true heads that a located
    head matches, by both passes and by the first pass alone.
    """

    set: str = column("text", "the data set or the part of it")
    photo: str = column("text", "name of the photo in its data set", "", ("name",))
    truth: int = column("integer", "annotated heads", "heads")
    count: float = column("number", "people in the photo", "people", (), 4)
    first_pass_count: float = column(
        "number", "people by the first pass alone", "people", ("first_count",), 4
    )
    region_count: int = column("integer", "dense regions with a second pass", "regions", ("regions",))
    zoom: float = column("number", "side factor of the largest region; nan without one", "", ("factor",), 4)
    spacing: float = column(
        "number",
        "mean distance of a true head in the largest region to its nearest true heads, before the enlargement",
        "pixels",
        ("spacing_before",),
        4,
    )
    seconds: float = column("number", "time from pixels to result", "s", (), 4)


def current_names(table: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of a table under its current names; unknown names stay."""
    current = {former: each.name for each in columns(table) for former in each.former}
    taken = {each.name for each in columns(table)} & values.keys()
    return {
        current.get(name, name) if current.get(name) not in taken else name: v for name, v in values.items()
    }


def photo_row(photo: str, prediction: Prediction, zones: Sequence[Any] = (), error: str = "") -> PhotoRow:
    """Return a prediction as a row with exact numbers; ``rounded`` makes it fit for tables.

    Args:
        photo: Path or address.
        prediction: People of the photo, within the regions of interest where there are some.
        zones: Counts by zone.
        error: A sentence on a picture that cannot be written.
    """
    width, height = prediction.size
    intervals = prediction.intervals()
    low, high = (intervals or {}).get(LEVEL, (None, None))
    return PhotoRow(
        photo,
        prediction.count,
        low,
        high,
        prediction.first_pass_count,
        prediction.model,
        width,
        height,
        prediction.read_scale,
        prediction.tiles,
        round(prediction.seconds, 4),
        [
            RegionRecord(list(each.box.as_tuple()), each.zoom, each.first_pass_count, each.count, each.capped)
            for each in prediction.regions
        ],
        zone_records(zones),
        head_rows(prediction.points),
        intervals,
        prediction.interval_of,
        prediction.turn,
        list(prediction.warnings),
        notes_with_hints(prediction.notes, prediction.warnings),
        prediction.usable,
        prediction.calibration is not None and prediction.calibration.own,
        prediction.calibrated_heads,
        error,
    )


def zone_records(zones: Sequence[Any]) -> list[ZoneRecord]:
    """Return the counts of zones as records."""
    return [
        ZoneRecord(
            each.name,
            each.people,
            each.dots,
            each.capacity,
            each.square_metres,
            each.per_square_metre,
            each.level,
        )
        for each in zones
    ]


def head_rows(points: Points | None) -> list[list[float]] | None:
    """Return (x, y, confidence) of each head to a thousandth; None for a model without heads."""
    if points is None:
        return None
    confidence = points.confidence if points.confidence is not None else np.ones(len(points))
    return np.round(np.column_stack([points.xy, confidence]), 3).tolist()  # type: ignore[no-any-return]


def plain(row: Any) -> dict[str, Any]:
    """Return the values of a row, its records as dictionaries."""
    return {
        each.name: [plain(record) for record in getattr(row, each.name)]
        if each.kind in RECORDS
        else getattr(row, each.name)
        for each in columns(type(row))
    }


def rounded(row: Any) -> dict[str, Any]:
    """Return the plain values of a row, its numbers rounded as tables hold them."""
    values = {}
    for each in columns(type(row)):
        value = getattr(row, each.name)
        if each.kind in RECORDS:
            value = [rounded(record) for record in value]
        elif each.decimals is not None and isinstance(value, float):
            value = round(value, each.decimals)
        values[each.name] = value
    return values


def after_name(name: str, added: Any) -> dict[str, Any]:
    """Return the rounded columns that a zone of this name adds to a frame, as in ``gate forward per minute``."""
    return {f"{name} {column.replace('_', ' ')}": value for column, value in rounded(added).items()}


RECORDS = {"regions": RegionRecord, "zones": ZoneRecord, "lines": LineRecord, "events": EventRecord}
"""The table of each kind that is a list of records."""
