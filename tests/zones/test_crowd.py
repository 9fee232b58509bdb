"""Crowd measures equal the closed form on a grid, and PedPy's on a random crowd."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from crowdscale.errors import DataError
from crowdscale.points import Points
from crowdscale.zones.crowd import crowd_measures, measure_zones, voronoi_cells
from crowdscale.zones.ground import Ground
from crowdscale.zones.zone import Zone, Zones

HALL = shapely.box(0, 0, 10, 10)


def grid(step=1.0):
    middles = np.arange(step / 2, 10, step)
    return np.array([[x, y] for x in middles for y in middles])


def test_a_grid_has_one_person_a_square_metre_everywhere():
    places = grid()
    walk = np.tile([1.2, 0.0], (len(places), 1))
    measures = crowd_measures(places, walk, shapely.box(2, 2, 6, 7), HALL)
    assert measures.people == 20
    assert measures.classic_density == pytest.approx(1.0)
    assert measures.voronoi_density == pytest.approx(1.0)
    assert measures.level == "D"
    assert (measures.speed, measures.specific_flow) == (pytest.approx(1.2), pytest.approx(1.2))
    assert measures.pressure == pytest.approx(0.0)


def test_pressure_is_density_times_the_variance_of_velocity():
    places = grid()
    walk = np.where(np.arange(len(places))[:, None] % 2 == 0, [1.0, 0.0], [-1.0, 0.0])
    assert crowd_measures(places, walk, HALL, HALL).pressure == pytest.approx(1.0)


def test_nobody_and_unknown_velocities():
    none = crowd_measures(np.zeros((0, 2)), np.zeros((0, 2)), HALL, HALL)
    assert (none.people, none.voronoi_density, none.speed, none.pressure) == (0, 0.0, None, None)
    one = crowd_measures(np.array([[5.0, 5.0]]), np.full((1, 2), np.nan), HALL, HALL)
    assert (one.people, one.voronoi_density, one.speed) == (1, pytest.approx(0.01), None)


def test_cells_share_the_walkable_area_and_hold_their_person():
    places = np.random.default_rng(0).uniform(0.2, 9.8, (60, 2))
    walkable = HALL.difference(shapely.box(4, 4, 6, 6))
    places = places[shapely.intersects_xy(walkable, places[:, 0], places[:, 1])]
    cells = voronoi_cells(places, walkable)
    assert all(cell.covers(shapely.Point(place)) for cell, place in zip(cells, places, strict=True))
    assert sum(cell.area for cell in cells) == pytest.approx(walkable.area, rel=0.02)


def test_two_on_one_place_and_no_area_are_refused():
    with pytest.raises(DataError, match="different places"):
        crowd_measures(np.array([[1.0, 1.0], [1.0, 1.0]]), np.zeros((2, 2)), HALL, HALL)
    with pytest.raises(DataError, match="an area"):
        crowd_measures(grid(), np.zeros((100, 2)), shapely.Polygon(), HALL)


@pytest.mark.parametrize("people", [2, 40, 150])
def test_densities_equal_those_of_pedpy(people):
    pedpy = pytest.importorskip("pedpy")
    pandas = pytest.importorskip("pandas")
    places = np.random.default_rng(people).uniform(0.1, 9.9, (people, 2))
    frame = pandas.DataFrame({"id": range(people), "frame": 0, "x": places[:, 0], "y": places[:, 1]})
    tracks = pedpy.TrajectoryData(frame, frame_rate=10)
    area = pedpy.MeasurementArea([(2, 2), (7, 2), (7, 8), (2, 8)])
    cells = pedpy.compute_individual_voronoi_polygons(
        traj_data=tracks, walkable_area=pedpy.WalkableArea(HALL)
    )
    density, _ = pedpy.compute_voronoi_density(individual_voronoi_data=cells, measurement_area=area)
    classic = pedpy.compute_classic_density(traj_data=tracks, measurement_area=area)
    ours = crowd_measures(places, np.full((people, 2), np.nan), area.polygon, HALL)
    assert ours.voronoi_density == pytest.approx(float(density.density.iloc[0]), rel=0.01)
    assert ours.classic_density == pytest.approx(float(classic.density.iloc[0]), rel=0.01)


SQUARE = Zone("square", ((20, 20), (60, 20), (60, 70), (20, 70)))
FLOOR = ((0, 0), (100, 0), (100, 100), (0, 100))


def test_zones_of_a_photo_are_measured_in_metres():
    plan = Ground(FLOOR, ((0, 0), (10, 0), (10, 10), (0, 10)))
    zones = Zones((SQUARE, Zone("rope", ((0, 0), (9, 9)), "line")), plan)
    heads = Points(np.vstack([grid() * 10 - 0.5, [[4.5, 4.5]]]))  # one of them found twice
    measured = measure_zones(heads, np.tile([12.0, 0.0], (101, 1)), zones, (100, 100))
    assert list(measured) == ["square"]
    assert measured["square"].voronoi_density == pytest.approx(1.0)
    assert measured["square"].specific_flow == pytest.approx(1.2, rel=1e-4)
    assert measure_zones(heads, np.zeros((101, 2)), Zones((SQUARE,)), (100, 100)) == {}


def test_people_beyond_the_measured_ground_are_left_out():
    seen = ((30, 40), (70, 40), (100, 100), (0, 100))  # the horizon lies above the upper edge of these
    zones = Zones((SQUARE,), Ground(seen, ((0, 0), (10, 0), (10, 30), (0, 30))))
    view = zones.ground.near_side((100, 100))
    assert 0 < view.bounds[1] < 10
    heads = Points([[50, 1], [40, 50], [55, 60]])
    measured = measure_zones(heads, np.array([[0, 0], [0, 0], [0, 3.0]]), zones, (100, 100))["square"]
    assert measured.people == 2
    pixel = zones.ground.place([[55.5, 60.5], [55.5, 60.5 + 1e-4]])
    assert measured.speed == pytest.approx(np.hypot(*(pixel[1] - pixel[0])) / 1e-4 * 3 / 2, rel=1e-3)
