"""Pictures: new images of the right size in which the drawn things are where they should be."""

from __future__ import annotations

import numpy as np
import pytest

from crowdscale.counting.prediction import Region
from crowdscale.drawing.captions import draw_caption
from crowdscale.drawing.heads import (
    CYAN,
    YELLOW,
    annotate,
    draw_points,
    draw_regions,
    draw_zoom,
    drawable,
    side_by_side,
)
from crowdscale.drawing.heat import draw_heat, draw_legend
from crowdscale.drawing.pictures import KINDS, draw_picture
from crowdscale.errors import ImageError, OptionError
from crowdscale.points import Box, Points
from tests.support.drawn import HEADS, REGION, grey, prediction

DRAWINGS = {
    "points": lambda image: draw_points(image, HEADS),
    "nobody": lambda image: draw_points(image, Points()),
    "outside": lambda image: draw_points(image, Points([[-500, 4], [1e6, 1e6], [-1, -1]])),
    "regions": lambda image: draw_regions(image, [REGION]),
    "heat": lambda image: draw_heat(image, HEADS),
    "heat of a map": lambda image: draw_heat(image, np.eye(9, dtype=np.float32)),
    "heat of nobody": lambda image: draw_heat(image, Points()),
    "heat of an empty map": lambda image: draw_heat(image, np.zeros((4, 4), np.float32)),
    "zoom": lambda image: draw_zoom(image, prediction()),
    "legend": draw_legend,
    "caption": lambda image: draw_caption(image, "412 people · first pass 388 · 1 region ×1.6"),
    "no text": lambda image: draw_caption(image, ""),
    **{kind: lambda image, kind=kind: draw_picture(kind, image, prediction()) for kind in KINDS},
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


def test_ring_leaves_the_head_open_and_a_crowd_gets_points():
    drawn = draw_points(grey(600, 900), Points([[450, 300]]))
    assert (drawn[297:304, 447:454] == 127).all()
    assert drawn[300, :, 0].max() > 200
    assert drawn[300].min() < 90
    crowd = draw_points(
        grey(600, 900), Points([[440 + 8 * i, 300 + 8 * j] for i in range(5) for j in range(5)])
    )
    assert tuple(crowd[316, 456]) == YELLOW
    assert (crowd[316, 460] == 127).all()


def test_dots_grow_with_the_photo():
    lone = Points([[50, 50]])
    small = (draw_points(grey(100, 100), lone) != 127).sum()
    large = (draw_points(grey(1300, 1900), lone) != 127).sum()
    assert large > 2 * small


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


def test_large_photos_are_drawn_reduced():
    assert drawable(grey()).shape == (80, 120, 3)
    assert drawable(np.zeros((4000, 6000, 3), np.uint8)).shape == (2000, 3000, 3)
    assert drawable(np.zeros((2, 7_000_000, 3), np.uint8)).shape[0] == 1


def test_no_picture_of_another_kind():
    with pytest.raises(OptionError, match="heat, people, zoom"):
        draw_picture("dots", grey(), prediction())


def test_annotate_scales_to_a_reduced_photo():
    drawn = annotate(grey(80, 120), prediction(Points([[400, 300]]), (), size=(1200, 800)))
    assert drawn[30, 30:50, 0].max() > 200
    assert tuple(drawn[30, 40]) == (127, 127, 127)


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
