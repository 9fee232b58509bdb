"""What the routes of one service share."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

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
    ending: threading.Event = field(default_factory=threading.Event)
    """Set once the service is asked to end: streams without an end of their own stop."""
