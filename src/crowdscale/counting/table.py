"""The one schema of results: every file and every API uses these names, types and units.

Here are the rows of photos and what they hold; ``frame_table`` has those of films, ``camera_table`` those of cameras.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdscale.counting.columns import column, current_names, plain
from crowdscale.counting.hints import notes_with_hints

if TYPE_CHECKING:
    from crowdscale.counting.prediction import Prediction
    from crowdscale.points import Points

__all__ = [
    "RECORDS",
    "VERSION",
    "EvaluationRow",
    "EventRecord",
    "LineRecord",
    "PhotoRow",
    "RegionRecord",
    "ZoneRecord",
    "photo_row",
    "zone_records",
]

VERSION = 1
"""Of the schema: it rises when a name, a type or a meaning changes."""

LEVEL = "0.9"
"""Level of the interval in ``count_low`` and ``count_high``."""


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


RECORDS = {"regions": RegionRecord, "zones": ZoneRecord, "lines": LineRecord, "events": EventRecord}
"""The table of each kind that is a list of records."""
