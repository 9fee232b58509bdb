"""A second run on a file of rows: it continues where the first one stopped, with the same source and options."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import time as wall_clock
from typing import TYPE_CHECKING, Any

from crowdscale.errors import OptionError
from crowdscale.files.documents import read_json
from crowdscale.files.finding import IMAGE_SUFFIXES
from crowdscale.files.writing import write_atomic
from crowdscale.video.frame import Source

if TYPE_CHECKING:
    from crowdscale.video.watch import WatchOptions
    from crowdscale.zones.alarms import Alarms

__all__ = ["STDIN", "Past", "Run", "film_mark", "whose_rows"]

STDIN = "-"
"""The source that is a film piped in."""

FORMAT = 1
MARKED = 2**20
"""Bytes at a film's beginning by which it is recognised."""


def film_mark(source: str) -> str:
    """Return what distinguishes a film from others of its name; empty for cameras and addresses."""
    path = Path(source)
    if path.is_file():
        with path.open("rb") as film:
            return hashlib.sha256(film.read(MARKED)).hexdigest()
    if path.is_dir():
        names = [each.name for each in path.iterdir() if each.suffix.lower() in IMAGE_SUFFIXES]
        return min(names, default="")
    return ""


@dataclass(frozen=True)
class Past:
    """The last row of an earlier run.

    Args:
        row: Its values by column, as they stand in the file.
        live: Whether the source is a camera, whose time passes between two runs.
        now: Unix seconds at which this run begins.
        rows: The last rows, the newest at the end.
    """

    row: Mapping[str, Any]
    live: bool
    now: float
    rows: Sequence[Mapping[str, Any]] = ()

    @property
    def after(self) -> tuple[int, float] | None:
        """Number and time of a film's last counted frame; None for a camera."""
        return None if self.live else (int(self.row["frame"]), float(self.row["time"]))

    def restore(self, alarms: Alarms | None) -> None:
        """Give alarms the state in which the earlier run left them; nothing is sent.

        In a film a count that was beyond a limit has been so since its row. At a camera the time of ``hold`` begins
        anew: nobody counted meanwhile.
        """
        from crowdscale.video.watch import column_of

        if alarms is None:
            return
        raised = self.row.get("raised") or []
        alarms.restore(json.loads(raised) if isinstance(raised, str) else raised)
        for name, alarm in alarms.alarms.items() if not self.live else ():
            column = column_of(name)
            alarm.look_back(
                [(float(row["time"]), float(row[column])) for row in self.rows if row.get(column)]
            )

    def onto(self, values: dict[str, Any], totals: set[str]) -> dict[str, Any]:
        """Return the values of a row of this run as those of one that never stopped."""
        moved = dict(values)
        for name in totals & self.row.keys():
            moved[name] += int(float(self.row[name] or 0))
        if self.live:
            moved["time"] = round(values["time"] + float(self.row["time"]) + self._pause, 3)
            moved["frame"] += int(self.row["frame"]) + 1
        return moved

    @property
    def _pause(self) -> float:
        """Seconds between the last row and this run."""
        clock = self.row.get("clock")
        return max(0.0, self.now - datetime.fromisoformat(str(clock)).timestamp()) if clock else 0.0


@dataclass(frozen=True)
class Run:
    """Whose rows a file holds: a source and the options that decide on them.

    Args:
        source: The film's name, or an address without password.
        mark: Of ``film_mark``.
        live: Whether it is a camera.
        options: By the name of the command line.
    """

    source: str
    mark: str
    live: bool
    options: Mapping[str, Any]

    def check(self, rows: Path) -> None:
        """Refuse rows of another source or other options. Raises OptionError."""
        beside = _beside(rows)
        if not beside.is_file():
            raise OptionError(
                f"expected rows of {self.source} in {rows}", f"none of which {beside.name} says whose they are",
                "Choose another file",
            )  # fmt: skip
        known = read_json(beside)
        if not isinstance(known, dict) or known.get("format") != FORMAT:
            raise OptionError(
                f"expected {beside} of this version", "another one", "Choose another file for the rows"
            )
        if known.get("source") != self.source:
            raise OptionError(
                f"expected rows of {self.source} in {rows}",
                f"those of {known.get('source')}",
                "Choose another file",
            )
        if known.get("mark") != self.mark:
            raise OptionError(
                f"expected rows of this film in {rows}",
                f"those of another one named {self.source}",
                "Choose another file",
            )
        self._check_options(rows, known.get("options"))

    def _check_options(self, rows: Path, known: Any) -> None:
        before = known if isinstance(known, dict) else {}
        wanted = json.loads(json.dumps(dict(self.options)))
        for name in sorted(wanted.keys() | before.keys()):
            if wanted.get(name) != before.get(name):
                raise OptionError(
                    f"expected the options of the rows in {rows} ({name} {_shown(before.get(name))})",
                    f"{name} {_shown(wanted.get(name))}",
                    "Use the same options or choose another file",
                )

    def note(self, rows: Path) -> None:
        """Write beside a new file whose rows it will hold. Raises OptionError where that fails."""
        content = {"format": FORMAT, "source": self.source, "mark": self.mark, "options": dict(self.options)}
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        write_atomic(_beside(rows), lambda file: file.write(text.encode("utf-8", "backslashreplace")))

    def past(self, rows: Sequence[Mapping[str, Any]]) -> Past:
        """Return the last rows of an earlier run as the past of this one."""
        return Past(rows[-1], self.live, wall_clock(), rows)


def whose_rows(
    address: str, source: Source, options: WatchOptions, *, zones: Path | None, **counting: Any
) -> Run:
    """Return whose rows a watch writes: its source, and the options that decide on the rows.

    Args:
        address: The source as the user wrote it.
        source: The same, opened.
        options: Of the watch.
        zones: File of the zones.
        counting: Further options by name.
    """
    name = source.name if source.live or "://" in address else Path(source.name).name
    mark = uuid.uuid4().hex if address == STDIN else film_mark(address)  # what was piped in comes once
    values = {"every": options.every, "smooth": options.smooth, "follow": options.follow, **counting}
    if options.turn != "off":
        values["turn"] = options.turn
    if options.windows is not None:
        values["sample"] = str(options.windows)
    values |= options.calendar.to_dict()
    values["zones"] = None if zones is None else hashlib.sha256(zones.read_bytes()).hexdigest()[:16]
    return Run(name or address, mark, source.live, {name: value for name, value in values.items() if value})


def _beside(rows: Path) -> Path:
    return rows.with_name(f".{rows.name}.run.json")


def _shown(value: Any) -> str:
    return "not given" if value is None else str(value)
