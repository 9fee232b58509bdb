"""The chart of a report: the number and its interval after each counted tile, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crowdscale.trust.audit.estimate import AuditEstimate
from crowdscale.trust.audit.report_page import part

__all__ = ["chart"]

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, ABOVE, BELOW = 64, 16, 8, 28
"""Margins in pixels."""
LABELS = 12
"""Most labels below the chart."""
PADDING = 0.1
"""Of the range of people, above and below."""


@dataclass(frozen=True)
class _Axes:
    """Where a tile and a number of people lie in the chart."""

    tiles: int
    bottom: float
    top: float

    @classmethod
    def of(cls, steps: Sequence[AuditEstimate]) -> _Axes:
        """Return axes with room for all intervals but the first two, which are too wide."""
        shown = steps[min(2, len(steps) - 1) :]
        ends = [float(end or 0) for step in shown for end in (step.low, step.high, step.predicted)]
        padding = PADDING * max(max(ends) - min(ends), 1.0)
        return cls(steps[-1].audited, max(0.0, min(ends) - padding), max(ends) + padding)

    def x(self, tile: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (tile - 2) / max(1, self.tiles - 2)

    def y(self, people: float) -> float:
        part = (min(max(people, self.bottom), self.top) - self.bottom) / (self.top - self.bottom)
        return ABOVE + (HEIGHT - BELOW - ABOVE) * (1 - part)

    def point(self, tile: int, people: float | None) -> str:
        return f"{self.x(tile):.1f},{self.y(people or 0):.1f}"


def chart(steps: Sequence[AuditEstimate]) -> str:
    """Return the number and its interval after each tile as a figure; empty with fewer than two intervals."""
    steps = [step for step in steps if step.low is not None]
    if len(steps) < 2:
        return ""
    axes = _Axes.of(steps)
    lows = [axes.point(step.audited, step.low) for step in steps]
    highs = [axes.point(step.audited, step.high) for step in steps]
    line = [axes.point(step.audited, step.count) for step in steps]
    return part(
        "chart", width=WIDTH, height=HEIGHT, left=LEFT, right=WIDTH - RIGHT, band=" ".join(lows + highs[::-1]),
        line=" ".join(line), model=f"{axes.y(steps[-1].predicted):.1f}", labels=_labels(steps, axes),
    )  # fmt: skip


def _labels(steps: Sequence[AuditEstimate], axes: _Axes) -> str:
    people = [
        part("label", x=LEFT - 6, y=f"{axes.y(value) + 4:.1f}", anchor="end", text=f"{value:,.0f}")
        for value in np.linspace(axes.bottom, axes.top, 4).tolist()
    ]
    tiles = [
        part("label", x=f"{axes.x(step.audited):.1f}", y=HEIGHT - 8, anchor="middle", text=step.audited)
        for step in steps[:: -(-len(steps) // LABELS)]
    ]
    return "".join(people + tiles)
