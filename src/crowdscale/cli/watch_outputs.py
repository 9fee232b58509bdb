"""What ``crowdscale watch`` makes of each count: an output that survives faults, the frame of the video, the live line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crowdscale.cli.options import seconds_of
from crowdscale.errors import OptionError

if TYPE_CHECKING:
    from crowdscale.drawing.film_heat import FilmHeat
    from crowdscale.video.watch import Watched, WatchRow
    from crowdscale.video.windows import Windows

__all__ = ["add_heat", "heat_of", "live_note", "windows_of"]

PICTURES = (".png", ".jpg", ".jpeg")
"""Suffixes of a drawn picture."""


def heat_of(path: Path | None) -> FilmHeat | None:
    """Return an empty heat for the picture; None without one. Raises OptionError for another suffix."""
    from crowdscale.drawing.film_heat import FilmHeat

    if path is not None and path.suffix.lower() not in PICTURES:
        raise OptionError(f"expected --heat as {', '.join(PICTURES)}", str(path))
    return None if path is None else FilmHeat()


def windows_of(text: str | None, quiet: bool) -> Windows | None:
    """Return the windows of ``1m/5m`` or ``1m/5m@2m``; a random begin is printed, so that a second run can repeat it.

    Raises:
        OptionError: Other text.
    """
    from crowdscale.video.windows import Windows

    if text is None:
        return None
    parts, _, begin = text.partition("@")
    length, slash, period = parts.partition("/")
    if not slash:
        raise OptionError("expected --sample such as 1m/5m", repr(text))
    if begin:
        return Windows(seconds_of(length), seconds_of(period), seconds_of(begin))
    drawn = Windows.drawn(seconds_of(length), seconds_of(period))
    if not quiet:
        print(
            f"Counting {length} of every {period}, from {drawn.begin:g} s on: --sample {parts}@{drawn.begin:g}s"
        )
    return drawn


def add_heat(heat: FilmHeat, watched: Watched) -> None:
    """Take the counted people of a frame into the heat."""
    prediction = watched.prediction
    people = prediction.density if prediction.points is None else prediction.points
    if people is not None:
        heat.add(watched.frame.pixels, people)


def live_note(row: WatchRow, seconds: float, live: bool) -> str:
    """Return the text of the live line after a count."""
    speed = f" · {row.time / seconds:.2g} × real time" if seconds > 1 and not live else ""
    dropped = f" · {row.dropped:,} dropped" if row.dropped else ""
    interval = "" if row.interval is None else f" ({row.interval[0]:,}–{row.interval[1]:,})"
    return f"{row.time:,.1f} s · {row.count:,.0f} people{interval}{speed}{dropped}"
