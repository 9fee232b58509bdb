"""The date and clock of a watch, and whose rows it writes."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crowdscale.errors import OptionError

if TYPE_CHECKING:
    from crowdscale.video.dates import Calendar
    from crowdscale.video.frame import Source
    from crowdscale.video.resuming import Run
    from crowdscale.video.watch import WatchOptions

__all__ = ["read_calendar", "whose_rows"]


def read_calendar(start: str | None, zone: str | None, source: Source, quiet: bool = False) -> Calendar:
    """Return the calendar of ``--start`` and ``--time-zone``. Raises OptionError."""
    from crowdscale.video.dates import Calendar, read_start, time_zone

    known = None if zone is None else time_zone(zone)
    if start is None:
        return Calendar(known)
    if source.live:
        raise OptionError(
            "expected a film with --start", f"{source.name}, which has the clock of this machine"
        )
    begun, remark = read_start(start, known)
    if remark and not quiet:
        typer.echo(f"Note: {remark}", err=True)
    return Calendar(known, begun)


def whose_rows(
    address: str, source: Source, options: WatchOptions, *, zones: Path | None, **counting: Any
) -> Run:
    """Return whose rows a watch writes: its source, and the options that decide on the rows."""
    from crowdscale.video.resuming import Run, film_mark
    from crowdscale.video.sources import STDIN

    name = source.name if source.live or "://" in address else Path(source.name).name
    mark = uuid.uuid4().hex if address == STDIN else film_mark(address)  # what was piped in comes once
    values = {"every": options.every, "smooth": options.smooth, "tracks": options.follow, **counting}
    values |= options.calendar.to_dict()
    values["zones"] = None if zones is None else hashlib.sha256(zones.read_bytes()).hexdigest()[:16]
    return Run(name or address, mark, source.live, {name: value for name, value in values.items() if value})
