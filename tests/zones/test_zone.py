"""Zones integrate the density exactly, fit their picture, come from three kinds of files, and say what is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdscale.errors import DataError
from crowdscale.zones.ground import Ground, level_of_service, metres_from_sides
from crowdscale.zones.pictures import CALM, FULL, draw_zones
from crowdscale.zones.zone import Zone, Zones
from tests.support.zones import INNER, LEFT_HALF, SQUARE, dense

BOW = ((0, 0), (10, 10), (10, 0), (0, 10))


def by_pixels(prediction, inside):
    """The integral by summing tenths of pixels: an independent, slow way."""
    width, height = prediction.size
    step = 4
    y, x = (np.mgrid[: height * step, : width * step] + 0.5) / step
    rows, columns = (y // 16).astype(int), (x // 16).astype(int)
    cell_height = np.minimum(16, height - rows * 16)
    cell_width = np.minimum(16, width - columns * 16)
    people = prediction.density[rows, columns] / (cell_height * cell_width * step**2)
    return float(people[inside(x, y)].sum())


@pytest.mark.parametrize(
    ("corners", "inside"),
    [
        (((10, 10), (90, 10), (90, 77), (10, 77)), lambda x, y: (x > 10) & (x < 90) & (y > 10) & (y < 77)),
        (((0, 0), (200, 0), (0, 120)), lambda x, y: x / 200 + y / 120 < 1),
        (((100, 5), (190, 60), (100, 115), (30, 60)), lambda x, y: np.where(x > 100, np.abs(x - 100) / 90, np.abs(x - 100) / 70) + np.abs(y - 60) / 55 < 1),
    ],
    ids=["rectangle", "triangle", "kite"],
)  # fmt: skip
def test_people_are_the_integral_under_the_polygon(corners, inside):
    prediction = dense()
    (count,) = Zones((Zone("z", corners),)).count(prediction)
    assert count.people == pytest.approx(by_pixels(prediction, inside), rel=3e-3)
    x, y = prediction.points.xy.T + 0.5
    assert count.dots == inside(x, y).sum()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.floats(1, 199), st.floats(1, 119))
def test_zones_that_tile_the_picture_sum_to_the_count(seed, x, y):
    prediction = dense(seed)
    corners = [(0, 0), (x, 0), (200, 0), (200, y), (200, 120), (x, 120), (0, 120), (0, y)]
    fan = [
        Zone(str(i), ((x, y), corners[i], corners[(i + 1) % 8]))
        for i in range(8)
    ]  # fmt: skip
    counts = Zones(tuple(fan)).count(prediction)
    assert sum(count.people for count in counts) == pytest.approx(prediction.count, rel=1e-5)
    assert sum(count.dots for count in counts) >= len(prediction.points)


def test_relative_zones_follow_the_picture_and_drawn_ones_are_scaled_to_it():
    prediction = dense()
    half = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    relative = Zones((Zone("z", half, relative=True),))
    drawn = Zones((Zone("z", ((0, 0), (50, 0), (50, 60), (0, 60))),), size=(100, 60))
    pixels = Zones((Zone("z", ((0, 0), (100, 0), (100, 120), (0, 120))),))
    counts = [zones.count(prediction)[0].people for zones in (relative, drawn, pixels)]
    assert counts == pytest.approx([counts[0]] * 3)
    with pytest.raises(DataError, match="shape 100×60 that the zones were drawn on, but got 200×200"):
        drawn.count(dense(width=200, height=200))


def test_a_line_counts_the_strip_around_it():
    prediction = dense()
    line = Zone("queue", ((20, 60), (180, 60)), "line", width=40)
    strip = Zone("strip", ((20, 40), (180, 40), (180, 80), (20, 80)))
    queue, same = Zones((line, strip)).count(prediction)
    assert queue.people == pytest.approx(same.people)
    assert queue.dots == same.dots


def test_a_points_model_counts_dots():
    (count,) = Zones((Zone("z", SQUARE),)).count(replace(dense(), density=None))
    assert count.people == count.dots
    (count,) = Zones((Zone("z", SQUARE),)).count(dense(points=False))
    assert count.dots is None


def test_a_region_of_interest_limits_everything():
    prediction = dense()
    left = Zone("left", ((0, 0), (100, 0), (100, 120), (0, 120)), roi=True)
    all_over = Zone("all", ((0, 0), (200, 0), (200, 120), (0, 120)))
    zones = Zones((left, all_over))
    limited = zones.limit(prediction)
    whole = Zones((replace(left, roi=False),)).count(prediction)[0]
    assert limited.count == pytest.approx(whole.people, rel=1e-5)
    assert len(limited.points) == len(limited.first_pass_points) == whole.dots
    assert limited.first_pass_count == pytest.approx(30 * whole.dots / 40)
    assert limited.density.sum() == pytest.approx(limited.count)
    (count,) = zones.count(prediction)
    assert count.people == pytest.approx(whole.people, rel=1e-6)
    assert Zones((all_over,)).limit(prediction) is prediction
    assert zones.limit(replace(prediction, density=None)).count == whole.dots


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"points": BOW},
            "the edges of zone z not to cross, but got a polygon with a fault: Self-intersection",
        ),
        ({"points": ((0, 0), (5, 5), (9, 9))}, "not to cross, but got a polygon with a fault: "),
        ({"points": ((0, 0), (5, 5))}, "zone z has 2 corners, and an area needs 3 or more"),
        ({"points": ((0, 0),), "kind": "line"}, "zone z has 1 point, and a line needs 2 or more"),
        ({"points": SQUARE, "kind": "circle"}, "kind of zone z as area or line, but got 'circle'"),
        ({"points": ((0, 0), (float("nan"), 5), (9, 0))}, "numbers as corners of z"),
        ({"points": SQUARE, "name": ""}, "a zone has no name"),
        ({"points": ((0, 0), (9, 9)), "kind": "line", "roi": True}, "an area as region of interest"),
        ({"points": ((0, 0), (9, 9)), "kind": "line", "width": -1}, "width of z above 0"),
    ],
    ids=lambda value: "" if isinstance(value, str) else None,
)
def test_what_no_zone_can_be(values, sentence):
    with pytest.raises(DataError, match=sentence):
        Zone(**{"name": "z", **values})


def test_a_zone_outside_the_picture_and_two_of_one_name():
    with pytest.raises(DataError, match=r"zone z inside the picture of 20×20, but got a corner at \(32, 0\)"):
        Zones((Zone("z", SQUARE),)).fit((20, 20))
    with pytest.raises(DataError, match="each zone's name once, but got z twice"):
        Zones((Zone("z", SQUARE), Zone("z", SQUARE)))


def test_people_per_square_metre_and_their_level():
    """A ground of 0.1 m a pixel: a square of 32 px is 10.24 m²."""
    ground = Ground(((0, 0), (100, 0), (100, 100), (0, 100)), ((0, 0), (10, 0), (10, 10), (0, 10)))
    (count,) = Zones((Zone("z", SQUARE),), ground).count(dense())
    assert count.square_metres == pytest.approx(10.24)
    assert count.per_square_metre == pytest.approx(count.people / 10.24)
    assert count.level == level_of_service(count.people / 10.24)


def project(metres, matrix):
    mapped = np.column_stack([metres, np.ones(len(metres))]) @ np.asarray(matrix).T
    return mapped[:, :2] / mapped[:, 2:]


CAMERA = np.array([[50.0, 12.0, 300.0], [3.0, 20.0, 100.0], [0.002, 0.02, 1.0]])


def test_the_homography_finds_places_and_areas_through_a_camera():
    metres = np.array([[0, 0], [10, 0], [10, 20], [0, 20]], float)
    pixels = project(metres, CAMERA)
    ground = Ground(tuple(map(tuple, pixels)), tuple(map(tuple, metres)))
    inner = np.array([[2, 3], [8, 3], [8, 15], [2, 15]], float)
    assert ground.place(project(inner, CAMERA)) == pytest.approx(inner)
    import shapely

    assert ground.square_metres(shapely.Polygon(project(inner, CAMERA))) == pytest.approx(72, rel=1e-6)
    with pytest.raises(DataError, match="one that reaches the horizon"):
        ground.place(project([[0, -1e6]], CAMERA) * 1.2)


@pytest.mark.parametrize("mirrored", [False, True])
def test_sides_and_a_diagonal_fix_the_ground(mirrored):
    corners = np.array([[0, 0], [12, 1], [11, 19], [-1, 17]], float)
    if mirrored:
        corners = corners[::-1]
    sides = tuple(np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1))
    clockwise = not mirrored  # in pictures, whose y points down, this order runs clockwise
    found = np.array(metres_from_sides(sides, np.linalg.norm(corners[2] - corners[0]), clockwise))
    between = lambda xy: np.linalg.norm(xy[:, None] - xy[None], axis=2)  # noqa: E731
    assert between(found) == pytest.approx(between(corners))
    area = lambda xy: sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(xy, np.roll(xy, -1, 0), strict=True)) / 2  # noqa: E731
    assert area(found) == pytest.approx(area(corners))


@pytest.mark.parametrize(
    ("density", "walkway", "queue"),
    [
        (0, "A", "A"),
        (0.3, "A", "A"),
        (0.5, "C", "A"),
        (1.0, "D", "B"),
        (2.0, "E", "D"),
        (4.0, "F", "E"),
        (6, "F", "F"),
    ],
)
def test_levels_of_service(density, walkway, queue):
    assert (level_of_service(density), level_of_service(density, "queue")) == (walkway, queue)


def test_pictures_show_what_is_too_full():
    image = np.full((120, 200, 3), 90, np.uint8)
    zones = Zones(
        (Zone("a", SQUARE, capacity=1), Zone("b", tuple((x + 100, y + 60) for x, y in SQUARE), capacity=99))
    )
    drawn = draw_zones(image, zones, zones.count(dense()))
    assert (image == 90).all()
    near = lambda colour: (np.abs(drawn.astype(int) - colour) < 2).all(axis=2)  # noqa: E731
    assert near(FULL)[:70, :70].any()
    assert not near(FULL)[60:, 100:].any()
    assert near(CALM)[60:, 100:].any()
    limited = draw_zones(image, Zones((Zone("roi", SQUARE, roi=True),)))
    assert limited[100, 180].mean() < 60
    assert limited[16, 16].mean() == 90
    assert not (draw_zones(image, zones, (), {"b"}) == draw_zones(image, zones)).all()


def within(corners):
    (left, top), _, (right, bottom), _ = corners
    return lambda x, y: (x > left) & (x < right) & (y > top) & (y < bottom)


def test_an_excluded_area_is_in_no_zone_and_not_in_the_whole():
    prediction = dense()
    zones = Zones((Zone("left", LEFT_HALF), Zone("poster", INNER, exclude=True)))
    (count,) = zones.count(prediction)
    left = by_pixels(prediction, within(LEFT_HALF)) - by_pixels(prediction, within(INNER))
    assert count.name == "left"
    assert count.people == pytest.approx(left, rel=1e-3)
    whole = prediction.count - by_pixels(prediction, within(INNER))
    limited = zones.limit(prediction)
    assert limited.count == pytest.approx(whole, rel=1e-3)
    assert not any(20 < x + 0.5 < 60 and 20 < y + 0.5 < 60 for x, y in limited.points.xy)


def test_a_region_of_interest_may_have_an_excluded_part():
    prediction = dense()
    zones = Zones((Zone("here", LEFT_HALF, roi=True), Zone("poster", INNER, exclude=True)))
    expected = by_pixels(prediction, within(LEFT_HALF)) - by_pixels(prediction, within(INNER))
    assert zones.limit(prediction).count == pytest.approx(expected, rel=1e-3)


KEYHOLE = (
    (0, 0), (100, 0), (100, 120), (0, 120), (0, 20), (20, 20), (20, 60), (60, 60), (60, 20), (20, 20), (0, 20),
)  # fmt: skip


@pytest.mark.parametrize(
    "zone", [Zone("ring", LEFT_HALF, holes=(INNER,)), Zone("ring", KEYHOLE)], ids=["holes", "keyhole"]
)
def test_holes_do_not_belong_to_their_zone(zone):
    prediction = dense()
    expected = by_pixels(prediction, within(LEFT_HALF)) - by_pixels(prediction, within(INNER))
    (count,) = Zones((zone,)).count(prediction)
    assert count.people == pytest.approx(expected, rel=1e-3)
    twice = Zones((zone,), None, (200, 120)).fit((400, 240))
    assert twice.zones[0].shape((400, 240)).area == pytest.approx(4 * (100 * 120 - 40 * 40))
    drawn = draw_zones(np.zeros((120, 200, 3), np.uint8), Zones((zone,)))
    assert not drawn[40, 40].any()
    assert drawn[100, 80].any()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"kind": "line", "points": ((5, 5), (5, 5))}, "a line of no length"),
        ({"kind": "line", "points": ((5, 5), (9, 5)), "exclude": True}, "the line z"),
        ({"exclude": True, "roi": True}, "as region of interest or excluded"),
        ({"holes": (((500, 500), (600, 500), (600, 600)),)}, "not to cross"),
        ({"points": BOW}, '"exclude": true'),
    ],
    ids=str,
)
def test_zones_that_cannot_be_excluded_or_have_holes(wrong, sentence):
    with pytest.raises(DataError, match=sentence):
        Zone(**{"name": "z", "points": SQUARE, **wrong})


def test_zones_that_hold_nobody_are_named():
    shares = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))
    assert Zones((Zone("a", shares, relative=True), Zone("b", SQUARE))).warnings() == []
    (sentence,) = Zones((Zone("a", shares),)).warnings()
    assert "All corners of zone a lie within one pixel" in sentence
    assert '"relative": true' in sentence
    right = ((150, 0), (200, 0), (200, 50), (150, 50))
    zones = Zones((Zone("here", LEFT_HALF, roi=True), Zone("there", right)), None, (200, 120))
    assert zones.warnings() == ["Zone there lies outside the area that is counted."]
