"""What the routes of one service share."""

from __future__ import annotations

from dataclasses import dataclass

from crowdscale.serve.counter import Counter
from crowdscale.serve.line import Line
from crowdscale.serve.meters import Meters
from crowdscale.serve.options import ServeOptions

__all__ = ["State"]


@dataclass(frozen=True)
class State:
    """One model, the queue before it, its limits and its meters."""

    counter: Counter
    options: ServeOptions
    line: Line
    meters: Meters
