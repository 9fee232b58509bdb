"""Pictures: new images of the right size in which the drawn things are where they should be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crowdscale.counting.prediction import Prediction, Region
from crowdscale.drawing.heads import (
    CYAN,
    YELLOW,
    annotate,
    draw_caption,
    draw_heat,
    draw_points,
    draw_regions,
    drawable,
    heat_density,
    side_by_side,
    summary,
)
from crowdscale.errors import ImageError, OptionError
from crowdscale.points import Box, Points
from crowdscale.trust.intervals import Calibration

HEADS = Points([[20, 15], [60, 40], [64, 40]])
REGION = Region(Box(30, 25, 90, 60), 1.62, 134.2, 151.0)


def grey(height=80, width=120):
    return np.full((height, width, 3), 127, np.uint8)


def prediction(points=HEADS, regions=(REGION,), size=(120, 80), count=3.0):
    return Prediction(
        count=count,
        points=points,
        map=None,
        regions=regions,
        first_pass_count=2.0,
        first_pass_points=points,
        size=size,
        model="m",
    )


DRAWINGS = {
    "points": lambda image: draw_points(image, HEADS),
    "nobody": lambda image: draw_points(image, Points()),
    "outside": lambda image: draw_points(image, Points([[-500, 4], [1e6, 1e6], [-1, -1]])),
    "regions": lambda image: draw_regions(image, [REGION]),
    "heat": lambda image: draw_heat(image, HEADS),
    "heat of a map": lambda image: draw_heat(image, np.eye(9, dtype=np.float32)),
    "heat of nobody": lambda image: draw_heat(image, Points()),
    "heat of an empty map": lambda image: draw_heat(image, np.zeros((4, 4), np.float32)),
    "caption": lambda image: draw_caption(image, "412 people · first pass 388 · 1 region ×1.6"),
    "no text": lambda image: draw_caption(image, ""),
    "all": lambda image: annotate(image, prediction()),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (80, 120), (400, 700)])
def test_any_size_gives_a_new_image_and_leaves_the_old(draw, shape):
    image = grey(*shape)
    drawn = draw(image)
    assert drawn.shape[1] == image.shape[1]
    assert drawn.shape[0] >= image.shape[0]  # a caption stands below
    assert drawn.dtype == np.uint8
    assert not np.shares_memory(drawn, image)
    assert (image == 127).all()


def test_dot_is_bright_at_the_head_with_a_dark_rim():
    drawn = draw_points(grey(), Points([[60, 40]]), radius=4)
    assert tuple(drawn[40, 60]) == YELLOW
    assert drawn[40, 65].max() < 80
    assert (drawn[40, 70] == 127).all()


def test_dots_of_close_heads_do_not_melt():
    spaced = Points([[20 + 5 * column, 20 + 5 * row] for row in range(8) for column in range(8)])
    drawn = draw_points(np.zeros((80, 80, 3), np.uint8), spaced)
    rows = drawn[20, 20:56, 0].reshape(-1)
    assert (rows[::5] > 200).all()
    assert rows[np.arange(2, 33, 5)].max() < 100


def test_dots_grow_with_the_photo():
    lone = Points([[50, 50]])
    small = (draw_points(grey(100, 100), lone) != 127).sum()
    large = (draw_points(grey(1300, 1900), lone) != 127).sum()
    assert large > 4 * small


def test_region_has_its_frame_and_its_label():
    drawn = draw_regions(grey(400, 600), [Region(Box(100, 150, 400, 300), 1.62, 134, 151)])
    for x, y in ((100, 200), (399, 200), (250, 150), (250, 299)):
        assert tuple(drawn[y, x]) == CYAN
    plate = (drawn == CYAN).all(-1)[:149]
    assert plate.sum() > 200
    assert (drawn[:149].max(-1) < 60).any()


@pytest.mark.parametrize("box", [Box(0, 0, 600, 400), Box(500, 0, 600, 50), Box(590, 395, 600, 400)])
def test_label_stays_inside(box):
    drawn = draw_regions(grey(400, 600), [Region(box, 1.62, 134, 151)])
    assert (drawn == CYAN).all(-1).sum() > 500


def test_heat_is_where_people_are_and_nowhere_else():
    crowd = Points([[50 + x, 60 + y] for x in range(0, 40, 6) for y in range(0, 40, 6)])
    drawn = draw_heat(grey(300, 400), crowd).astype(int)
    assert abs(drawn[80, 70] - 127).sum() > 150
    assert (drawn[150:, 200:] == 127).all()


def test_heat_of_points_and_of_their_density_agree():
    crowd = Points([[100 + x, 60 + y] for x in range(0, 80, 8) for y in range(0, 60, 8)])
    density = np.zeros((300, 400), np.float32)
    for x, y in crowd.xy.astype(int):
        density[y, x] = 1
    first, second = draw_heat(grey(300, 400), crowd), draw_heat(grey(300, 400), density)
    assert abs(first.astype(int) - second).mean() < 12


def test_heat_keeps_the_number_of_people():
    assert heat_density(HEADS, 120, 80).sum() == pytest.approx(3, rel=1e-3)
    assert heat_density(HEADS.scale(20), 2400, 1600).sum() == pytest.approx(3, rel=1e-3)
    assert heat_density(np.full((500, 900), 0.01, np.float32), 3600, 2000).sum() == pytest.approx(
        4500, rel=1e-3
    )


@pytest.mark.parametrize("gap", [0.5, 5, 26])
def test_two_dots_on_one_head_are_not_the_hottest_place(gap):
    """Neither against a group of five in a sparse photo, nor in a sparse photo alone."""
    spread = [[x, y] for x in range(120, 1900, 300) for y in range(120, 1250, 250)]
    pair, group = (
        [[120 + gap, 120]],
        [[1320 + x, 620 + y] for x, y in ((30, 0), (0, 30), (40, 40), (-30, 20))],
    )
    heat = heat_density(Points([*spread, *pair, *group]), 1920, 1282)
    hottest = np.argwhere(heat == heat.max())[0] * 3
    assert abs(hottest - (630, 1330)).max() < 40
    drawn = draw_heat(np.zeros((1282, 1920, 3), np.uint8), Points([*spread, *pair])).max(axis=(0, 1))
    full = draw_heat(np.zeros((1282, 1920, 3), np.uint8), Points([*spread, *pair * 9])).max(axis=(0, 1))
    assert drawn[1] < full[1] - 20


def test_dots_on_one_head_heat_as_widely_as_the_others():
    """Seven dots, 7 · 1.25² times as hot as one; without a bound on their width they would be 28 times."""
    lone = [[100 + 290 * i, 100 + 350 * j] for i in range(6) for j in range(4)]
    heat = heat_density(Points([*lone, *([102 + i, 450] for i in range(6))]), 1920, 1282)
    assert heat[150, 34] < 12 * heat[33, 33]


def test_large_photos_are_drawn_reduced():
    assert drawable(grey()).shape == (80, 120, 3)
    assert drawable(np.zeros((4000, 6000, 3), np.uint8)).shape == (2000, 3000, 3)
    assert drawable(np.zeros((2, 7_000_000, 3), np.uint8)).shape[0] == 1


def test_heat_refuses_what_is_no_map():
    with pytest.raises(ImageError, match="density map"):
        draw_heat(grey(), np.zeros((3, 4, 5)))


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


def test_annotate_scales_to_a_reduced_photo():
    drawn = annotate(grey(80, 120), prediction(Points([[400, 300]]), (), size=(1200, 800)))
    assert tuple(drawn[30, 40]) == YELLOW


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (prediction(count=3.0), "3 people · first pass 2 · 1 region ×1.6"),
        (prediction(Points([[5, 5]]), regions=(), count=1.0), "1 person"),
        (prediction(None, regions=(), count=1.0), "1 person"),
        (
            prediction(regions=(REGION, REGION), count=12345.4),
            "12,345 people · 3 located · first pass 2 · 2 regions ×1.6, ×1.6",
        ),
    ],
)
def test_summary(result, text):
    assert summary(result) == text


@pytest.mark.parametrize(
    ("warnings", "text"),
    [((), "40 people, 90 %: 30–50 · 37 located"), (("Too dark.",), "40 people · 37 located")],
    ids=["calibrated", "but strange"],
)
def test_summary_with_an_interval(warnings, text):
    known = Calibration((0.9,), (0.25,), offset=0.0, growth=0.0, smallest=1, largest=100, images=40)
    heads = Points([[x, 20] for x in range(37)])
    result = replace(prediction(heads, regions=(), count=40.0), calibration=known, warnings=warnings)
    assert summary(result) == text
    assert "located" not in summary(replace(result, count=38.9))
    taller = annotate(grey(), result).shape[0] - annotate(grey(), replace(result, warnings=())).shape[0]
    assert taller == (0 if not warnings else draw_caption(grey(), "x").shape[0] - 80)


def test_side_by_side_has_one_height_and_titles():
    row = side_by_side([grey(100, 50), grey(200, 300)], ["first", "second"])
    assert row.shape[0] > 100
    assert row.shape[1] >= 50 + 150
    assert side_by_side([grey(100, 50)]).shape == (100, 50, 3)
    with pytest.raises(OptionError, match="title"):
        side_by_side([grey(), grey()], ["one"])
    with pytest.raises(OptionError, match="at least one"):
        side_by_side([])


@pytest.mark.parametrize("image", [np.zeros((4, 4)), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8)])
def test_other_arrays_are_refused(image):
    with pytest.raises(ImageError, match="uint8"):
        draw_points(image, HEADS)
