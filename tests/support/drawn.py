"""Images and predictions to draw."""

from __future__ import annotations

import numpy as np

from crowdscale.counting.prediction import Prediction, Region
from crowdscale.points import Box, Points

HEADS = Points([[20, 15], [60, 40], [64, 40]])
REGION = Region(Box(30, 25, 90, 60), 1.62, 134.2, 151.0)


def grey(height=80, width=120):
    return np.full((height, width, 3), 127, np.uint8)


def prediction(points=HEADS, regions=(REGION,), size=(120, 80), count=3.0, **more):
    return Prediction(
        count=count, points=points, map=None, regions=regions, first_pass_count=2.0, first_pass_points=points,
        size=size, model="m", **more,
    )  # fmt: skip
