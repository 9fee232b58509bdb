"""Captions: the count in words, slim below the picture."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from crowdscale.drawing.captions import draw_caption, summary
from crowdscale.drawing.heads import annotate
from crowdscale.points import Points
from crowdscale.trust.intervals import Calibration
from tests.support.drawn import REGION, grey, prediction


def test_caption_stands_slim_below_and_covers_nobody():
    drawn = draw_caption(grey(800, 1200), "412 people")
    assert (drawn[:800] == 127).all()
    assert 10 < len(drawn) - 800 < 0.06 * 800
    assert drawn[800:].max() > 200


def test_signs_that_the_font_lacks_are_drawn():
    cross, gap = draw_caption(grey(400, 600), "×"), draw_caption(grey(400, 600), " ")
    arrow = draw_caption(grey(400, 600), "→")
    assert (cross != gap).any()
    assert (cross != arrow).any()


def test_long_caption_is_made_to_fit():
    drawn = draw_caption(grey(400, 300), "people " * 100)
    assert drawn[-30:, :290].max() > 80


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (prediction(count=3.0), "3 people"),
        (prediction(Points([[5, 5]]), regions=(), count=1.0), "1 person"),
        (prediction(None, regions=(), count=1.0), "1 person"),
        (
            prediction(regions=(REGION, REGION), count=12345.4),
            "12,345 people · 3 heads marked",
        ),
    ],
)
def test_summary(result, text):
    assert summary(result) == text


@pytest.mark.parametrize(
    ("warnings", "text"),
    [((), "40 people (likely 30–50) · 37 heads marked"), (("Too dark.",), "40 people · 37 heads marked")],
    ids=["calibrated", "but strange"],
)
def test_summary_with_an_interval(warnings, text):
    known = Calibration((0.9,), (0.25,), offset=0.0, growth=0.0, smallest=1, largest=100, images=40)
    heads = Points([[x, 20] for x in range(37)])
    result = replace(prediction(heads, regions=(), count=40.0), calibration=known, warnings=warnings)
    assert summary(result) == text
    assert "marked" not in summary(replace(result, count=38.9))
    taller = annotate(grey(), result).shape[0] - annotate(grey(), replace(result, warnings=())).shape[0]
    assert taller == (0 if not warnings else draw_caption(grey(), "x").shape[0] - 80)


def test_summary_with_the_date_of_the_photo():
    taken = datetime(2026, 3, 5, 14, 5)
    assert summary(prediction(regions=()), taken) == "3 people · 5 March 2026, 14:05"
