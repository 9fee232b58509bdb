"""The date and clock of a watch, by the options of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from crowdscale.errors import OptionError

if TYPE_CHECKING:
    from crowdscale.video.dates import Calendar
    from crowdscale.video.frame import Source

__all__ = ["read_calendar"]


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
