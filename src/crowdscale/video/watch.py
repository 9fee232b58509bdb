"""Watching: a video or a camera, counted at intervals; a row a count, written before the next frame is taken."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdscale.counting.prediction import Prediction
from crowdscale.counting.predictor import Predictor
from crowdscale.counting.table import FrameRow, columns, current_names
from crowdscale.deprecation import renamed
from crowdscale.errors import OptionError
from crowdscale.points import Points
from crowdscale.video.smoothing import StepMean
from crowdscale.video.sources import Frame, Source, sample
from crowdscale.video.tracks import Tracker
from crowdscale.zones.alarms import Alarms
from crowdscale.zones.crossings import Crossings
from crowdscale.zones.dwell import Dwell, Stays
from crowdscale.zones.zone import ZoneCount, Zones

__all__ = ["RowWriter", "WatchOptions", "WatchRow", "Watched", "column_of", "watch"]


@dataclass(frozen=True)
class WatchOptions:
    """What is counted of a video."""

    every: float = 1.0
    """Seconds between two counts; 0 counts every frame."""
    smooth: bool = False
    """Add a smoothed count (``StepMean``)."""
    duration: float | None = None
    """Stop after this many seconds of the video."""
    frames: int | None = None
    """Stop after this many counts."""
    rescale: float = 60.0
    """Seconds for which the base scale chosen for a frame holds: chosen for each, counts would jump with it."""

    follow: bool = False
    """Link heads into tracks: needed for track files, different people and times of stay."""

    def __post_init__(self) -> None:
        if self.every < 0 or self.rescale < 0 or (self.duration is not None and self.duration <= 0):
            raise OptionError(
                "expected every >= 0, rescale >= 0 and duration > 0",
                f"{self.every}, {self.rescale}, {self.duration}",
            )
        if self.frames is not None and self.frames < 1:
            raise OptionError("expected frames >= 1", str(self.frames))


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
    """What alarms said at this count: ``zone raised``, ``zone cleared``."""
    seconds: float
    """Time that the count took."""
    dropped: int
    """Frames of a live source that passed uncounted so far, beyond those that ``every`` leaves out."""
    stays: tuple[Stays, ...] = ()
    """Different people and times of stay in each area so far, where heads are followed."""

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain values with a column a zone; the same columns in every row."""
        row: dict[str, Any] = {
            "time": round(self.time, 3),
            "frame": self.frame,
            "count": round(self.count, 2),
        }
        row["smoothed"] = None if self.smoothed is None else round(self.smoothed, 2)
        for zone in self.zones:
            row[column_of(zone.name)] = round(zone.people, 2)
            if zone.per_square_metre is not None:
                row[f"{zone.name} per m2"] = round(zone.per_square_metre, 4)
                row[f"{zone.name} level"] = zone.level
        for name, (forward, backward) in self.crossed.items():
            row[f"{name} forward"], row[f"{name} backward"] = forward, backward
        for stay in self.stays:
            row |= _stay_columns(stay)
        return {
            **row,
            "alarms": "; ".join(self.alarms),
            "seconds": round(self.seconds, 3),
            "dropped": self.dropped,
        }


def _stay_columns(stay: Stays) -> dict[str, Any]:
    median = stay.median_seconds
    return {
        f"{stay.name} different": stay.different,
        f"{stay.name} entered": stay.entered,
        f"{stay.name} left": stay.left,
        f"{stay.name} median stay": None if median is None else round(median, 1),
    }


class Watched(NamedTuple):
    """A count with what it was made of, for pictures."""

    row: WatchRow
    frame: Frame
    prediction: Prediction
    tracks: NDArray[np.int64] | None = None
    """(n,) track numbers of the heads, where they are followed."""


def watch(
    source: Source,
    predictor: Predictor,
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
        alarms: Told of each count.
    """
    smoother = StepMean() if options.smooth else None
    people = _People.of(zones, options.follow)
    frames = islice(sample(source, options.every), options.frames)
    steady = _Steady(predictor, options.rescale)
    first_size: tuple[int, int] | None = None
    drawn = zones
    for frame in frames:
        if options.duration is not None and frame.time > options.duration:
            return
        prediction = steady.predict(frame)
        first_size = first_size or prediction.size
        if zones is not None and drawn is not None:
            zones = _fitting(drawn, prediction.size, first_size, source)
        counts = tuple(zones.count(prediction)) if zones is not None else ()
        if zones is not None:
            prediction = zones.limit(prediction)
        tracks, crossed, stays = people.take(prediction, frame.time)
        events = alarms.update(frame.time, list(counts)) if alarms is not None else []
        row = WatchRow(
            frame.time,
            frame.index,
            prediction.count,
            smoother.update(prediction.count) if smoother is not None else None,
            counts,
            crossed,
            tuple(f"{event.zone} {event.kind}" for event in events),
            prediction.seconds,
            source.dropped,
            stays,
        )
        yield Watched(row, frame, prediction, tracks)


@dataclass
class _People:
    """Who is followed: tracks, crossings of lines, stays in areas."""

    tracker: Tracker | None
    crossings: Crossings | None
    dwell: Dwell | None

    @classmethod
    def of(cls, zones: Zones | None, follow: bool) -> _People:
        crossings = Crossings(zones) if zones is not None else None
        needed = follow or (crossings is not None and bool(crossings.counts))
        return cls(
            Tracker() if needed else None, crossings, Dwell(zones) if zones is not None and follow else None
        )

    def take(
        self, prediction: Prediction, time: float
    ) -> tuple[NDArray[np.int64] | None, dict[str, tuple[int, int]], tuple[Stays, ...]]:
        """Take in a frame's heads and return track numbers, crossings and stays so far."""
        if self.tracker is None:
            return None, {}, ()
        points, size = prediction.points or Points(), prediction.size
        tracks = self.tracker.update(points, time, size)
        crossed = self.crossings.update(points, size, time, tracks) if self.crossings is not None else {}
        stays = self.dwell.update(points, tracks, time, size) if self.dwell is not None else []
        return tracks, dict(crossed), tuple(stays)


def _fitting(zones: Zones, size: tuple[int, int], first: tuple[int, int], source: Source) -> Zones:
    """Return the zones for a frame: those of the first size, scaled where the film changes its size.

    Raises:
        DataError: The zones do not fit the first frame.
    """
    if size == first:
        return zones
    source.note_once(f"The frames of {source.name} change from {first[0]}×{first[1]} to {size[0]}×{size[1]}.")
    return zones.fit(first).resized(size, first)


@dataclass
class _Steady:
    """A predictor that keeps the scale it chose for a while, as long as the frames keep their size."""

    predictor: Predictor
    hold: float
    _kept: Predictor | None = None
    _until: float = 0.0
    _shape: tuple[int, ...] = ()

    def predict(self, frame: Frame) -> Prediction:
        if self._kept is not None and frame.time < self._until and frame.pixels.shape == self._shape:
            return self._kept.predict(frame.pixels)
        found = self.predictor.predict(frame.pixels)
        known = replace(self.predictor.options, read_scale=found.read_scale)
        self._kept = Predictor(self.predictor.backend, self.predictor.config, known)
        self._until, self._shape = frame.time + self.hold, frame.pixels.shape
        return found


class RowWriter:
    """Appends rows to a .csv or .jsonl file, each whole and flushed; one process a file.

    Raises:
        OptionError: Another suffix, a file with other columns, or one that another process writes.
    """

    def __init__(self, path: Path) -> None:
        import filelock

        if path.suffix.lower() not in (".csv", ".jsonl"):
            raise OptionError("expected rows as .csv or .jsonl", str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise OptionError(
                "expected a file of rows that no other process writes", f"{path} in use", "Choose another one"
            ) from None
        self._columns: list[str] | None = None
        try:
            self._file = path.open("a+", encoding="utf-8", newline="")
        except OSError as error:
            self._lock.release()
            raise OptionError("expected a file of rows that can be written", f"{path} ({error})") from error

    def write(self, row: WatchRow) -> None:
        """Append a row. Raises OptionError where it cannot be written; what was written stays."""
        values = row.to_dict()
        try:
            if self.path.suffix.lower() == ".jsonl":
                self._file.write(json.dumps(values) + "\n")
            else:
                self._write_csv(values)
            self._file.flush()
        except OSError as error:
            raise OptionError(
                "expected to write rows", f"{self.path} ({error})", "What was written before is whole"
            ) from error

    def _write_csv(self, values: dict[str, Any]) -> None:
        writer = csv.DictWriter(self._file, list(values), lineterminator="\n")
        if self._columns is None:
            self._file.seek(0)
            known = next(csv.reader(self._file), None)
            self._file.seek(0, 2)
            if known is not None and list(current_names(FrameRow, dict.fromkeys(known))) != list(values):
                raise OptionError(
                    f"expected the columns {', '.join(values)} in {self.path}",
                    ", ".join(known),
                    "Choose another file",
                )
            if known is None:
                writer.writeheader()
            self._columns = list(values)
        writer.writerow(values)

    def close(self) -> None:
        """Close the file and let others write it."""
        try:
            self._file.close()
        finally:
            self._lock.release()

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
