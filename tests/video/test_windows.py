"""Sampled watching: each time is as likely to be counted, and tracks are there when a window begins."""

from __future__ import annotations

import numpy as np
import pytest

from crowdscale.errors import OptionError
from crowdscale.video.windows import Windows


def test_one_minute_in_five_from_a_begin_on():
    windows = Windows(60, 300, 130)
    counted = [second for second in range(900) if windows.phase(second) == "counted"]
    assert counted == [*range(130, 190), *range(430, 490), *range(730, 790)]
    assert [second for second in range(300) if windows.phase(second) == "lead"] == [125, 126, 127, 128, 129]


def test_a_window_that_ends_after_the_period_begins_with_the_film():
    windows = Windows(60, 300, 270)
    assert [windows.phase(second) for second in (0, 29, 31, 264, 266, 270)] == [
        "counted", "counted", "passed over", "passed over", "lead", "counted",
    ]  # fmt: skip


def test_each_time_is_as_likely_to_be_counted():
    share = np.mean([[Windows(60, 300, begin).phase(second) == "counted" for begin in range(300)] for second in (0, 7, 299)], axis=1)  # fmt: skip
    assert share.tolist() == [0.2] * 3
    assert len({Windows.drawn(60, 300).begin for _ in range(60)}) > 20


@pytest.mark.parametrize("wrong", [(0, 300, 0), (300, 300, 0), (60, 300, 300)], ids=str)
def test_no_windows(wrong):
    with pytest.raises(OptionError, match="shorter than its period"):
        Windows(*wrong)
