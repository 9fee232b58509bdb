"""The reliability diagram: a mark where probability and share say."""

from __future__ import annotations

import numpy as np

from crowdscale.drawing.charts import COLOURS
from crowdscale.trust.confidence import Band, HeadConfidence
from research.reliability import LEFT, SIDE, TOP, draw_reliability


def test_marks_stand_at_probability_and_share():
    bands = (Band(0.6, 0.7, 10), Band(0.9, 0.85, 10))
    drawn = draw_reliability({"m": HeadConfidence(0, 1, 8, 20, 5, (), 0.07, bands)})
    for band in bands:
        x, y = LEFT + (band.probability - 0.5) * 2 * SIDE, TOP + SIDE - (band.right - 0.5) * 2 * SIDE
        assert tuple(drawn[round(y), round(x)]) == COLOURS[0]
    assert np.ptp(drawn[:, LEFT + SIDE + 40 :]) > 100  # the legend
