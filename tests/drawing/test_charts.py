"""Pictures of counts over time: lines where the counts are, round ticks, nothing cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdscale.drawing.charts import COLOURS, plot_counts, round_ticks, time_label, time_ticks
from crowdscale.errors import OptionError


@given(st.floats(0.5, 1e6))
def test_ticks_are_round_whole_and_cover_the_counts(top):
    ticks = round_ticks(top)
    assert ticks[0] == 0
    assert ticks[-1] >= top * 0.999
    assert 2 <= len(ticks) <= 8
    assert (ticks == np.rint(ticks)).all()


@pytest.mark.parametrize(
    ("start", "stop", "wanted"),
    [
        (0, 20, [0, 5, 10, 15, 20]),
        (0, 3600, [0, 600, 1200, 1800, 2400, 3000, 3600]),
        (90, 100, [90, 92, 94, 96, 98, 100]),
        (5, 5, [5]),
    ],
)
def test_time_ticks(start, stop, wanted):
    assert time_ticks(start, stop) == wanted


@pytest.mark.parametrize(
    ("seconds", "span", "text"), [(40, 60, "40 s"), (200, 900, "3:20"), (3800, 7200, "1:03:20")]
)
def test_time_labels(seconds, span, text):
    assert time_label(seconds, span) == text


def where(picture, colour):
    return np.argwhere((np.abs(picture.astype(int) - colour) < 3).all(axis=2))


def test_a_line_lies_where_its_counts_are():
    picture = plot_counts(np.arange(100), {"people": np.linspace(0, 100, 100)}, "A title")
    assert picture.shape == (640, 1400, 3)
    at = where(picture[80:560], COLOURS[0])
    left, right = at[at[:, 1] < 300, 0].mean(), at[at[:, 1] > 1100, 0].mean()
    assert left > right + 200  # up to the right


def test_no_peak_is_lost_among_many_samples():
    counts = np.zeros(50_000)
    counts[31_234] = 500
    at = where(plot_counts(np.arange(50_000.0), {"people": counts}), COLOURS[0])
    assert at[:, 0].min() < 60


def test_gaps_one_sample_and_faint_lines_are_drawn():
    counts = np.array([1, 2, np.nan, 4, 5.0])
    assert len(where(plot_counts(np.arange(5), {"people": counts}), COLOURS[0])) > 50
    assert len(where(plot_counts([0.0], {"people": [3.0]}), COLOURS[0])) > 5
    names = {f"zone number {i}": np.full(5, i) for i in range(12)}
    assert plot_counts(np.arange(5), names, faint=["zone number 0"]).shape == (640, 1400, 3)


@pytest.mark.parametrize(("times", "series"), [([], {"a": []}), ([1, 2], {}), ([1, 2], {"a": [1]})])
def test_what_cannot_be_drawn(times, series):
    with pytest.raises(OptionError, match="expected times and as many counts"):
        plot_counts(times, series)
