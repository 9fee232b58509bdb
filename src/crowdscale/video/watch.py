"""Watching: a video or a camera, counted at intervals; a row a count, written before the next frame is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdscale.counting.columns import columns
from crowdscale.counting.frame_table import CrowdColumns, FrameRow, LineColumns, StayColumns, after_name
from crowdscale.counting.options import TURNS, Turn
from crowdscale.counting.prediction import Prediction
from crowdscale.deprecation import renamed
from crowdscale.errors import OptionError
from crowdscale.video.dates import Calendar
from crowdscale.video.following import Followed, Movement
from crowdscale.video.row_writer import RowWriter
from crowdscale.video.smoothing import StepMean
from crowdscale.video.sources import Frame, Source, sample
from crowdscale.video.steady import FramePredictor, Steady
from crowdscale.video.windows import Windows
from crowdscale.zones.alarms import Alarms
from crowdscale.zones.crowd import CrowdMeasures
from crowdscale.zones.dwell import Stays
from crowdscale.zones.zone import ZoneCount, Zones

__all__ = ["RowWriter", "WatchOptions", "WatchRow", "Watched", "column_of", "watch"]


@dataclass(frozen=True)
class WatchOptions:
    """Frames and outputs of a watch."""

    every: float = 1.0
    """Seconds between two counts; 0 counts every frame."""
    smooth: bool = False
    """Add a smoothed count (``StepMean``)."""
    duration: float | None = None
    """Stop after this many seconds of the video."""
    frames: int | None = None
    """Stop after this many counts."""
    rescale: float = 60.0
    """Seconds for which the read scale chosen for a frame holds, and whether the camera lies on its side."""

    windows: Windows | None = None
    """Count these times alone, such as one minute in five."""
    turn: Turn = "off"
    """Degrees by which frames are turned clockwise, or ``auto``: by the first counted frame, as photos are. All
    positions are those of the turned frame."""
    follow: bool = False
    """Link heads into tracks: needed for track files, different people and times of stay."""
    calendar: Calendar = field(default_factory=Calendar)
    """Gives rows their date and clock."""
    after: tuple[int, float] | None = None
    """Number and time of the last frame that an earlier run counted: this one continues after it."""

    def __post_init__(self) -> None:
        if self.every < 0 or self.rescale < 0 or (self.duration is not None and self.duration <= 0):
            raise OptionError(
                "expected every >= 0, rescale >= 0 and duration > 0",
                f"{self.every}, {self.rescale}, {self.duration}",
            )
        if self.frames is not None and self.frames < 1:
            raise OptionError("expected frames >= 1", str(self.frames))
        if self.turn not in TURNS:
            raise OptionError(f"expected turn as {', '.join(map(str, TURNS))}", repr(self.turn))


OWN_COLUMNS = tuple(each.name for each in columns(FrameRow))
"""Columns of every row, by the schema of results."""


def column_of(zone: str) -> str:
    """Return the column of a zone's people: its name, unless the row has a column of that name."""
    return f"zone {zone}" if zone in OWN_COLUMNS else zone


@renamed(people="count")
@dataclass(frozen=True)
class WatchRow:
    """One count."""

    time: float
    """Seconds from the first frame."""
    frame: int
    """Number of the frame in the source."""
    count: float
    """People in the frame."""
    smoothed: float | None
    zones: tuple[ZoneCount, ...]
    crossed: dict[str, tuple[int, int]]
    """People who crossed each line so far, (forward, backward)."""
    alarms: tuple[str, ...]
    """Changes of alarms at this count: ``zone raised``, ``zone cleared``."""
    seconds: float
    """Time that the count took."""
    dropped: int
    """Frames of a live source that passed uncounted so far, beyond those that ``every`` leaves out."""
    stays: tuple[Stays, ...] = ()
    """Different people and times of stay in each area so far, where heads are followed."""
    interval: tuple[int, int] | None = None
    """Ends of the 90 % interval of the count; None for a frame with warnings."""
    warnings: tuple[str, ...] = ()
    """A sentence for each way in which the frame differs from the training photos, or is damaged."""
    per_minute: dict[str, tuple[float, float] | None] = field(default_factory=dict)
    """People a minute over each line, (forward, backward), in the last minute; None before ten seconds."""
    usable: bool = True
    """Whether the count may be used: False for a frame that is unlike all training photos."""
    measures: dict[str, CrowdMeasures] = field(default_factory=dict)
    """Crowd measures of each area, where heads are followed and the ground is known."""
    clock: datetime | None = None
    """Date and clock of the frame, with the offset of its time zone."""
    raised: tuple[str, ...] = ()
    """Zones whose alarm stands."""

    @property
    def totals(self) -> set[str]:
        """Columns that grow over a watch, to which a later run adds."""
        crossed = {f"{name} {way}" for name in self.crossed for way in ("forward", "backward", "net")}
        return (
            {"dropped"} | crossed | {f"{s.name} {kind}" for s in self.stays for kind in ("entered", "left")}
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain values with a column a zone; the same columns in every row."""
        row: dict[str, Any] = {
            "time": round(self.time, 3),
            "clock": None if self.clock is None else self.clock.isoformat(timespec="milliseconds"),
            "frame": self.frame,
            "count": round(self.count, 2),
            "count_low": None if self.interval is None else self.interval[0],
            "count_high": None if self.interval is None else self.interval[1],
        }
        row["smoothed"] = None if self.smoothed is None else round(self.smoothed, 2)
        for zone in self.zones:
            row[column_of(zone.name)] = round(zone.people, 2)
            if zone.per_square_metre is not None:
                row[f"{zone.name} per m2"] = round(zone.per_square_metre, 4)
                row[f"{zone.name} level"] = zone.level
        for name, crossed in self.crossed.items():
            row |= after_name(name, _line_columns(*crossed, self.per_minute.get(name)))
        for stay in self.stays:
            row |= after_name(stay.name, _stay_columns(stay))
        for name, measures in self.measures.items():
            row |= after_name(name, _crowd_columns(measures))
        return {
            **row,
            "alarms": "; ".join(self.alarms),
            "raised": list(self.raised),
            "warnings": list(self.warnings),
            "usable": self.usable,
            "seconds": round(self.seconds, 3),
            "dropped": self.dropped,
        }


def _line_columns(forward: int, backward: int, per_minute: tuple[float, float] | None) -> LineColumns:
    return LineColumns(forward, backward, forward - backward, *(per_minute or (None, None)))


def _stay_columns(stay: Stays) -> StayColumns:
    return StayColumns(
        stay.different, stay.entered, stay.left, stay.median_seconds, stay.longest_tenth_seconds
    )


def _crowd_columns(measures: CrowdMeasures) -> CrowdColumns:
    return CrowdColumns(measures.voronoi_density, measures.speed, measures.specific_flow, measures.pressure)


class Watched(NamedTuple):
    """A count with its frame and prediction, for pictures."""

    row: WatchRow
    frame: Frame
    prediction: Prediction
    tracks: NDArray[np.int64] | None = None
    """(n,) track numbers of the heads, where they are followed."""
    zones: Zones | None = None
    """The zones that fit this frame."""


def watch(
    source: Source,
    predictor: FramePredictor,
    options: WatchOptions,
    zones: Zones | None = None,
    alarms: Alarms | None = None,
) -> Iterator[Watched]:
    """Yield a count for each sampled frame.

    Args:
        source: Frames.
        predictor: A model.
        options: Which frames.
        zones: Areas to count in; a region of interest limits everything.
        alarms: They get each count.
    """
    counting = _Counting(source, predictor, options, zones, alarms)
    counted = 0
    for frame in _chosen(source, options):
        watched = counting.take(frame)
        if watched is None:
            continue
        yield watched
        counted += 1
        if counted == options.frames:
            return


def _chosen(source: Source, options: WatchOptions) -> Iterator[Frame]:
    """Yield the frames to count, up to the end of the duration."""
    frames = source if options.windows is None else options.windows.choose(source)
    for frame in sample(frames, options.every, options.after):
        if options.duration is not None and frame.time > options.duration:
            return
        yield frame


class _Counting:
    """Counts frame by frame, with what holds from one frame to the next: the scale, the tracks, the first size."""

    def __init__(
        self,
        source: Source,
        predictor: FramePredictor,
        options: WatchOptions,
        zones: Zones | None,
        alarms: Alarms | None,
    ) -> None:
        self.source, self.options, self.zones, self.alarms = source, options, zones, alarms
        self.steady = Steady(predictor, options.rescale, options.turn, source)
        self.people = Followed(zones, options.follow)
        self.smoother = StepMean() if options.smooth else None
        self.first_size: tuple[int, int] | None = None

    def take(self, frame: Frame) -> Watched | None:
        """Return the count of a frame; None for one before a window, whose heads are only followed."""
        frame, prediction = self.steady.predict(frame)
        prediction = _with_notes(prediction, frame)
        size = self.first_size = self.first_size or prediction.size
        zones = None if self.zones is None else _fitting(self.zones, prediction.size, size, self.source)
        counts, prediction = _zoned(prediction, zones)
        movement = self.people.take(prediction, frame.time, size)
        windows = self.options.windows
        if windows is not None and windows.phase(frame.time) == "lead":
            return None
        return Watched(
            self._row(frame, prediction, counts, movement), frame, prediction, movement.tracks, zones
        )

    def _row(
        self, frame: Frame, prediction: Prediction, counts: tuple[ZoneCount, ...], movement: Movement
    ) -> WatchRow:
        """Return the row of a count, after the alarms have it."""
        changes = _alarm_changes(self.alarms, frame.time, counts)
        return WatchRow(
            time=frame.time,
            frame=frame.index,
            count=prediction.count,
            smoothed=None if self.smoother is None else self.smoother.update(prediction.count),
            zones=counts,
            crossed=movement.crossed,
            alarms=changes,
            seconds=prediction.seconds,
            dropped=self.source.dropped,
            stays=movement.stays,
            interval=_interval(prediction),
            warnings=prediction.warnings,
            per_minute=movement.per_minute,
            usable=prediction.usable,
            measures=movement.measures,
            clock=self.options.calendar.of(frame, self.source),
            raised=() if self.alarms is None else tuple(sorted(self.alarms.raised)),
        )


def _zoned(prediction: Prediction, zones: Zones | None) -> tuple[tuple[ZoneCount, ...], Prediction]:
    """Return the count of each zone, and the prediction within the region of interest."""
    if zones is None:
        return (), prediction
    return tuple(zones.count(prediction)), zones.limit(prediction)


def _alarm_changes(alarms: Alarms | None, time: float, counts: tuple[ZoneCount, ...]) -> tuple[str, ...]:
    """Give the counts to the alarms, and return their changes as in ``zone raised``."""
    if alarms is None:
        return ()
    return tuple(f"{event.zone} {event.kind}" for event in alarms.update(time, list(counts)))


DAMAGED = "The film is damaged here: the frame may be incomplete."


def _with_notes(prediction: Prediction, frame: Frame) -> Prediction:
    """Return the prediction with the warnings of the frame: damage, choices of the reader of a photo."""
    notes = (*frame.notes, *((DAMAGED,) if frame.damaged else ()))
    if not notes:
        return prediction
    leading = 0 if prediction.usable else 1  # the sentence not to use the number stays the first
    warnings = prediction.warnings
    return replace(prediction, warnings=(*warnings[:leading], *notes, *warnings[leading:]))


def _interval(prediction: Prediction) -> tuple[int, int] | None:
    interval = prediction.interval()
    return None if interval is None else (interval[0], interval[1])


def _fitting(zones: Zones, size: tuple[int, int], first: tuple[int, int], source: Source) -> Zones:
    """Return the zones for a frame: those of the first size, scaled where the film changes its size.

    Raises:
        DataError: The zones do not fit the first frame.
    """
    if size == first:
        return zones
    source.note_once(f"The frames of {source.name} change from {first[0]}×{first[1]} to {size[0]}×{size[1]}.")
    return zones.fit(first).resized(size, first)
