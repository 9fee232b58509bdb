"""The highest density of each area of a watch, with its level of service, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from crowdscale.video.watch import WatchRow
from crowdscale.zones.crowd import NO_SAFETY_DEVICE

__all__ = ["Highest", "Peak"]


@dataclass(frozen=True)
class Peak:
    """The highest density of an area."""

    density: float
    """People per m²."""
    level: str
    """Level of service A (free) to F (jam) (Fruin, 1971)."""
    time: float
    """Seconds of the film."""

    def text(self, zone: str) -> str:
        """Return the peak in words."""
        return f"{zone}: {self.density:,.2f} people per m2 at {self.time:,.1f} s (level {self.level} of Fruin's A to F)"


@dataclass
class Highest:
    """The peaks of a watch so far, by area: people over area, where the ground is known."""

    peaks: dict[str, Peak] = field(default_factory=dict)

    def take(self, row: WatchRow) -> None:
        """Take in a count."""
        for zone in row.zones:
            if zone.per_square_metre is None or zone.name in row.crossed or not row.usable:
                continue  # the strip of a line is too narrow for a density
            before = self.peaks.get(zone.name)
            if before is None or zone.per_square_metre > before.density:
                self.peaks[zone.name] = Peak(zone.per_square_metre, zone.level or "", row.time)

    def lines(self) -> list[str]:
        """Return a line for each area whose ground is known."""
        return [f"Highest density, {peak.text(name)}" for name, peak in self.peaks.items()]

    def sentences(self) -> Sequence[str]:
        """Return the lines, and that this is no safety device; nothing where the ground is not known."""
        return (*self.lines(), NO_SAFETY_DEVICE) if self.peaks else ()
