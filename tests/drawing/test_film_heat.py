"""The heat of a film is the mean over its frames, in people on a part of the frame, with a legend beneath."""

from __future__ import annotations

import numpy as np
import pytest

from crowdscale.drawing.film_heat import SHARE, FilmHeat, film_scale
from crowdscale.errors import OptionError
from crowdscale.points import Points

FRAME = np.full((300, 400, 3), 90, np.uint8)
HERE = Points([[100, 150]] * 6)


def test_heat_is_where_people_were_and_weighs_the_time_they_were_there():
    heat = FilmHeat()
    for number in range(8):
        heat.add(FRAME, Points([*HERE.xy, [300, 150]] if number % 4 == 0 else HERE.xy))
    picture = heat.draw()
    changed = np.abs(picture[:300].astype(int) - 90).sum(axis=2)
    assert picture.shape[0] > 300  # the legend
    assert changed[150, 100] > 3 * changed[150, 300]
    assert changed[20, 20] == changed[280, 200] == 0


def test_the_mean_of_frames_keeps_the_people_and_the_light():
    heat = FilmHeat()
    heat.add(FRAME, HERE)
    heat.add(np.full((600, 800, 3), 110, np.uint8), Points([[200, 300]] * 2))  # the film changed its size
    heat.add(FRAME, Points())
    assert heat._heat.sum() == pytest.approx(8 / 3, rel=1e-3)
    assert heat._light.mean() == pytest.approx((90 + 110 + 90) / 3, abs=0.01)


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(0.9, (0.03, 0.1, 0.3, 1)), (1.0, (0.03, 0.1, 0.3, 1)), (2, (0.1, 0.3, 1, 3)), (37, (3, 10, 30, 100)), (0.004, (0.0003, 0.001, 0.003, 0.01))],
)  # fmt: skip
def test_the_scale_ends_at_the_hottest_place(most, ticks):
    assert film_scale(most).ticks == pytest.approx(ticks)


def test_the_hottest_place_has_its_people():
    heat = FilmHeat()
    for _ in range(3):
        heat.add(FRAME, np.full((10, 10), 2.0))  # two hundred people, evenly
    assert float(np.median(heat._heat)) * heat._heat.size * SHARE == pytest.approx(2.0, rel=0.01)


def test_nobody_and_no_frame():
    heat = FilmHeat()
    with pytest.raises(OptionError, match="expected frames"):
        heat.draw()
    heat.add(FRAME, Points())
    assert (heat.draw()[:300] == 90).all()
