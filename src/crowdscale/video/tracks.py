"""Tracks of a film: each head with the number of its track, as rows for other programs."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError, MissingExtraError, OptionError
from crowdscale.points import Points
from crowdscale.zones.ground import Ground
from crowdscale.zones.linking import Linker, LinkOptions

__all__ = ["COLUMNS", "TrackRow", "TrackWriter", "Tracker", "pedpy_trajectories", "track_rows"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

COLUMNS = ("track", "time", "x", "y", "confidence")
"""Columns of a track file; ``x_m`` and ``y_m`` follow where the ground is known."""
BATCH = 20_000
"""Rows of a Parquet file that are written together."""


@dataclass(frozen=True)
class TrackRow:
    """One head of one frame."""

    track: int
    """Number of the track, from 0 on."""
    time: float
    """Seconds from the first frame."""
    x: float
    """Pixels of the frame."""
    y: float
    confidence: float
    x_m: float | None = None
    """Metres on the ground, if it is known; None beyond the horizon."""
    y_m: float | None = None


class Tracker:
    """Links the heads of successive frames and returns a row each.

    Args:
        ground: Where four points of the frame lie on the ground, for metres.
        options: How heads are linked.
    """

    def __init__(self, ground: Ground | None = None, options: LinkOptions | None = None) -> None:
        self.ground = ground
        self.linker = Linker(options or LinkOptions())

    def update(self, points: Points, time: float, size: tuple[int, int]) -> Integers:
        """Return the (n,) track numbers of a frame's heads; ``size`` is (width, height)."""
        return self.linker.update(points.xy.astype(float), time, float(np.hypot(*size)))

    def rows(self, points: Points, ids: Integers, time: float) -> list[TrackRow]:
        """Return the rows of a frame."""
        return track_rows(points, ids, time, self.ground)


def track_rows(points: Points, ids: Integers, time: float, ground: Ground | None = None) -> list[TrackRow]:
    """Return a row for each head of a frame.

    Args:
        points: Heads in pixels.
        ids: (n,) track numbers.
        time: Seconds.
        ground: Four points of this frame on the ground, for metres.
    """
    metres = [(None, None)] * len(points) if ground is None else _metres(points.xy, ground)
    sure = points.confidence if points.confidence is not None else np.ones(len(points))
    return [
        TrackRow(
            int(track), round(time, 3), round(float(x), 2), round(float(y), 2), round(float(c), 3), *place
        )
        for track, (x, y), c, place in zip(ids, points.xy, sure, metres, strict=True)
    ]


def _metres(xy: Floats, ground: Ground) -> list[Any]:
    """Return (x, y) in metres of each position, (None, None) beyond the horizon."""
    places: list[Any] = []
    for position in xy:
        try:
            x, y = ground.place(position[None])[0]
            places.append((round(float(x), 3), round(float(y), 3)))
        except DataError:
            places.append((None, None))
    return places


class TrackWriter:
    """Writes track rows to a .csv or .parquet file as they come.

    Raises:
        OptionError: Another suffix, or a file that cannot be written.
        MissingExtraError: Parquet without the extra [bulk].
    """

    def __init__(self, path: Path, metres: bool = False) -> None:
        if path.suffix.lower() not in (".csv", ".parquet"):
            raise OptionError("expected tracks as .csv or .parquet", str(path))
        self.path, self.columns = path, (*COLUMNS, "x_m", "y_m") if metres else COLUMNS
        self._rows: list[TrackRow] = []
        self._parquet: Any = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb") if path.suffix.lower() == ".parquet" else None
            self._text = None if self._file else path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise OptionError(
                "expected a file of tracks that can be written", f"{path} ({error.strerror})"
            ) from error
        if self._file is not None:
            self._parquet = _open_parquet(self._file, self.columns)
        else:
            csv.writer(self._text, lineterminator="\n").writerow(self.columns)  # type: ignore[arg-type]

    def write(self, rows: Sequence[TrackRow]) -> None:
        """Append the rows of a frame. Raises OptionError where they cannot be written."""
        self._rows += rows
        try:
            if self._text is not None or len(self._rows) >= BATCH:
                self._flush()
        except OSError as error:
            raise OptionError("expected to write tracks", f"{self.path} ({error.strerror})") from error

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if self._text is not None:
            values = ([getattr(row, name) for name in self.columns] for row in rows)
            csv.writer(self._text, lineterminator="\n").writerows(values)
            self._text.flush()
        elif rows:
            import pyarrow

            table = {name: [getattr(row, name) for row in rows] for name in self.columns}
            self._parquet.write_table(pyarrow.table(table, schema=self._parquet.schema))

    def close(self) -> None:
        """Write what is left and close the file."""
        self._flush()
        if self._text is not None:
            self._text.close()
        if self._file is not None:
            self._parquet.close()
            self._file.close()

    def __enter__(self) -> TrackWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open_parquet(stream: Any, columns: Sequence[str]) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("Writing Parquet", "bulk") from None
    kinds = {"track": pyarrow.int64()}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.float64())) for name in columns])
    return pyarrow.parquet.ParquetWriter(stream, schema)


def pedpy_trajectories(rows: Sequence[TrackRow], frame_rate: float) -> Any:
    """Return the rows as PedPy's ``TrajectoryData``, in metres.

    Args:
        rows: With ``x_m`` and ``y_m``; rows without are left out.
        frame_rate: Frames a second, by which times become frame numbers.

    Raises:
        OptionError: No row has metres.
        MissingExtraError: PedPy is not installed.
    """
    placed = [row for row in rows if row.x_m is not None]
    if not placed:
        raise OptionError("expected tracks in metres", "none", "Add four ground points to the zones file")
    try:
        import pandas
        import pedpy
    except ImportError:
        raise MissingExtraError("The hand-over to PedPy", "pedpy") from None
    values = [(row.track, round(row.time * frame_rate), row.x_m, row.y_m) for row in placed]
    frame = pandas.DataFrame(values, columns=["id", "frame", "x", "y"])
    return pedpy.TrajectoryData(frame, frame_rate=frame_rate)
