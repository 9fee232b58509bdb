"""Zones of tests, and a prediction to count them on."""

from __future__ import annotations

import numpy as np

from crowdscale.counting.prediction import Prediction
from crowdscale.points import Points
from crowdscale.zones.alarms import AlarmRule
from crowdscale.zones.ground import Ground
from crowdscale.zones.zone import Zone

SQUARE = ((0.0, 0.0), (32.0, 0.0), (32.0, 32.0), (0.0, 32.0))
LEFT_HALF = ((0, 0), (100, 0), (100, 120), (0, 120))
INNER = ((20, 20), (60, 20), (60, 60), (20, 60))
FULL_ZONE = Zone(
    "gate", SQUARE, capacity=9, alarm=AlarmRule(8, 5, 2.0, "http://127.0.0.1/x", "KEY", ("echo", "hi"))
)
GROUND = Ground(((0, 0), (90, 0), (90, 60), (0, 60)), ((0, 0), (9, 0), (9, 6), (0, 6)), "queue")


def dense(seed=0, width=200, height=120, points=True):
    """A prediction with random people in 16-pixel cells, and as random dots."""
    rng = np.random.default_rng(seed)
    cells = rng.random((-(-height // 16), -(-width // 16))).astype(np.float32)
    dots = Points(rng.random((40, 2)) * (width - 1, height - 1), rng.random(40)) if points else None
    return Prediction(
        float(cells.sum()), dots, None, (), 30.0, dots, (width, height), "known", cells, (16.0, 16.0)
    )
