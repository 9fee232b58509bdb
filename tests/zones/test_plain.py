"""Zones from GeoJSON and plain lists, of several parts, as shares of the picture or in pixels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crowdscale.errors import DataError
from crowdscale.points import Points
from crowdscale.zones.files import read_zones, write_zones
from crowdscale.zones.zone import Zone, Zones
from tests.support.drawn import prediction

SQUARE = [[10, 10], [50, 10], [50, 50], [10, 50]]
OTHER = [[60, 10], [90, 10], [90, 50], [60, 50]]
HOLE = [[20, 20], [40, 20], [40, 40], [20, 40]]
SHARES = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]
SIZE = (100, 100)


def feature(kind, coordinates, **properties):
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


def coco(*rings):
    return {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 100}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 1,
                "segmentation": [np.ravel(ring).tolist() for ring in rings],
            }
        ],
        "categories": [{"id": 1, "name": "entrance"}],
    }


def read(tmp_path, content):
    path = tmp_path / "zones.json"
    path.write_text(json.dumps(content))
    return read_zones(path)


@pytest.mark.parametrize(
    ("content", "areas"),
    [
        (collection(feature("Polygon", [[*SQUARE, SQUARE[0]]], name="hall")), {"hall": 1600}),
        (feature("Polygon", [SQUARE, HOLE], label="ring"), {"ring": 1200}),
        (collection(feature("MultiPolygon", [[SQUARE, HOLE], [OTHER]], title="both")), {"both": 2400}),
        (
            collection(feature("Polygon", [SQUARE]), feature("Polygon", [OTHER]), feature("Point", [1, 2])),
            {"zone": 1600, "zone 2": 1200},
        ),
        ({"type": "Polygon", "coordinates": [SQUARE]}, {"zone": 1600}),
        (collection(feature("Polygon", [SHARES], id=7)), {"7": 800}),
        ([SQUARE, OTHER], {"zone": 1600, "zone 2": 1200}),
        (SQUARE, {"zone": 1600}),
        ([[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]], {"zone": 800}),
        ({"region-01": SQUARE, "region-02": OTHER}, {"region-01": 1600, "region-02": 1200}),
        ({"both": [SQUARE, OTHER]}, {"both": 2800}),
        ({"hall": "10,10,50,10,50,50,10,50"}, {"hall": 1600}),
        ({"zones": [{"name": "a", "points": "10,10,50,10,50,50,10,50"}]}, {"a": 1600}),
        ({"zones": [{"name": "a", "points": [10, 10, 50, 10, 50, 50, 10, 50]}]}, {"a": 1600}),
        ({"zones": [{"name": "a", "points": SQUARE, "more": [OTHER], "holes": [HOLE]}]}, {"a": 2400}),
        (coco(SQUARE, OTHER), {"entrance": 2800}),
    ],
    ids=str,
)
def test_areas(tmp_path, content, areas):
    zones = read(tmp_path, content)
    assert {zone.name: pytest.approx(zone.shape(SIZE).area) for zone in zones.zones} == areas


def test_a_line_of_geojson(tmp_path):
    (line,) = read(tmp_path, collection(feature("LineString", [[10, 10], [90, 10]], name="gate"))).zones
    assert (line.kind, line.points) == ("line", ((10, 10), (90, 10)))


@pytest.mark.parametrize(
    "content",
    [
        collection(),
        collection(feature("Point", [1, 2])),
        collection(feature("Polygon", [])),
        collection(feature("Polygon", [[["a", 1], [2, 3], [4, 5]]])),
        collection(feature("MultiPolygon", [[]])),
        collection("no feature"),
        {"type": "FeatureCollection", "features": 3},
        {"hall": "10,ten,50"},
        {"hall": [1, 2, 3]},
        [[[1e300, 0], [1, 0], [1, 1]]],
        {"zones": [{"name": "a", "points": SQUARE, "more": [[[1, 1], [2, 2]]]}]},
        {"zones": [{"name": "a", "points": [[0, 0], [9, 9]], "kind": "line", "more": [OTHER]}]},
    ],
    ids=str,
)
def test_what_is_no_zone_is_one_sentence(tmp_path, content):
    with pytest.raises(DataError, match="expected"):
        read(tmp_path, content)


def test_degrees_on_a_map_get_a_warning(tmp_path):
    map_ = collection(feature("Polygon", [[[13.37, 52.51], [13.38, 52.51], [13.38, 52.52]]]))
    assert "degrees on a map" in read(tmp_path, map_).warnings()[0]
    assert read(tmp_path, SQUARE).warnings() == []


def test_people_in_each_part_of_a_zone_are_counted_and_it_is_written_scaled_and_read(tmp_path):
    zones = Zones((Zone("both", tuple(map(tuple, SQUARE)), more=(tuple(map(tuple, OTHER)),)),), None, SIZE)
    write_zones(tmp_path / "z.json", zones)
    back = read_zones(tmp_path / "z.json")
    assert back == zones
    heads = Points(np.array([[20.0, 20], [70, 20], [55, 20]]))
    assert back.count(prediction(heads, (), SIZE))[0].people == 2
    assert back.fit((200, 200)).zones[0].shape((200, 200)).area == pytest.approx(4 * 2800)
    with pytest.raises(DataError, match="inside the picture"):
        read(tmp_path, {"a": [SQUARE, [[60, 10], [190, 10], [190, 50]]]}).fit(SIZE)


def test_an_area_that_is_closed_twice_is_saved_without_loss_and_a_closed_line_stays_closed(tmp_path):
    closed = [*SQUARE, SQUARE[0], SQUARE[0]]
    line = [[0, 0], [9, 0], [9, 9], [0, 0]]
    hole = [*HOLE, HOLE[0]]
    content = {"zones": [
        {"name": "a", "points": closed, "holes": [hole], "more": [[*OTHER, OTHER[0]]], "capacity": 0},
        {"name": "l", "kind": "line", "points": line},
    ]}  # fmt: skip
    zones = read(tmp_path, content)
    area, loop = zones.zones
    assert [len(ring) for ring in (area.points, *area.holes, *area.more)] == [4, 4, 4]
    assert loop.points == ((0, 0), (9, 0), (9, 9), (0, 0))
    assert area.capacity == 0
    write_zones(tmp_path / "again.json", zones)
    assert read_zones(tmp_path / "again.json") == zones
