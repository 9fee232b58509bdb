"""Zones in files: there and back, those that cannot be used, shapes of other tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crowdscale.errors import DataError
from crowdscale.zones.files import read_zones, write_zones, zones_from_json
from crowdscale.zones.ground import level_of_service
from crowdscale.zones.zone import Zone, Zones
from tests.support.zones import FULL_ZONE, GROUND, INNER, LEFT_HALF, dense


def test_files_come_back_as_they_were(tmp_path):
    line = Zone("line", ((0.25, 0.5), (0.75, 0.5)), "line", True, width=0.1)
    roi = Zone("here", ((0, 0), (1, 0), (1, 1)), relative=True, roi=True)
    zones = Zones((FULL_ZONE, line, roi), GROUND, (200, 120))
    write_zones(tmp_path / "zones.json", zones)
    assert read_zones(tmp_path / "zones.json") == zones


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is no valid JSON"),
        ("[]", '"zones", a list'),
        ({"zones": [], "extra": 1}, "expected format, size, zones, ground in .*, but got extra"),
        ({"zones": [{"points": []}]}, "a name and points of each zone"),
        ({"zones": [{"name": "a", "points": [[1, 2], [3]]}]}, "points of zone a as pairs"),
        ({"zones": [{"name": "a", "points": [[0, 0], [9, 0], [9, 9]], "colour": 1}]}, "zone a, but got colour"),
        ({"zones": [{"name": "a", "points": [[0, 0], [9, 0], [9, 9]], "alarm": {}}]}, 'alarm of zone a with "above"'),
        ({"zones": [{"name": "a", "points": [[0, 0], [9, 0], [9, 9]], "alarm": {"above": 5, "below": 6}}]}, "0 <= below <= above"),
        ({"zones": [{"name": "a", "points": [[0, 0], [9, 0], [9, 9]], "alarm": {"above": 5, "webhook": "ftp://x"}}]}, "http or https"),
        ({"zones": [{"name": "a", "points": [[0, 0], [9, 0], [9, 9]], "alarm": {"above": "x"}}]}, "the alarm of zone a is no sound alarm: Expected float, got str"),
        ({"zones": [{"name": "l", "kind": "line", "points": [[0, 0], [9, 9]], "width": 1e308}]}, "width of l above 0 and at most"),
        ({"zones": [{"name": {"": {}}, "points": [[0, 0], [9, 0], [9, 9]]}]}, "text as the name of each zone"),
        ({"zones": [], "ground": {"points": [[0, 0]]}}, '"metres" of the ground points, or their four "sides"'),
        ({"zones": [], "ground": {"points": [[0, 0], [1, 0], [1, 1], [0, 1]], "sides": [1, 1, 1, 1], "diagonal": 5}}, "to be a triangle, but got 1, 1 and 5 m"),
        ({"zones": [], "ground": {"points": [[0, 0], [1, 0], [2, 0], [3, 0]], "metres": [[0, 0], [1, 0], [1, 1], [0, 1]]}}, "ground points in the photo in turn"),
        ({"zones": [], "ground": {"points": [[0, 0], [1, 0], [1, 1], [0, 1]], "metres": [[0, 0], [1, 0]]}}, "four ground points in metres, but got 2"),
    ],
    ids=str,
)  # fmt: skip
def test_files_that_cannot_be_used(tmp_path, content, sentence):
    path = tmp_path / "zones.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(DataError, match=sentence) as refused:
        read_zones(path)
    assert str(refused.value).count("zones.json") == 1  # the file is named, once


def test_a_missing_file_says_how_to_draw_one(tmp_path):
    with pytest.raises(
        DataError, match=r"no such file of zones: .*none\.json\. Draw them: crowdscale zones edit PHOTO"
    ):
        read_zones(tmp_path / "none.json")


def test_label_studio_and_cvat(tmp_path):
    value = {"points": [[0, 0], [50, 0], [50, 100], [0, 100]], "polygonlabels": ["door"]}
    result = {"type": "polygonlabels", "original_width": 200, "original_height": 120, "value": value}
    export = [{"data": {"image": "a.jpg"}, "annotations": [{"result": [result, result]}]}]
    (tmp_path / "ls.json").write_text(json.dumps(export))
    (tmp_path / "cvat.xml").write_text(
        '<annotations><image id="0" name="a.jpg" width="200" height="120">'
        '<polygon label="door" points="0,0;100,0;100,120;0,120"/><box label="door" xtl="0" ytl="0" xbr="100" ybr="120"/>'
        '<polyline label="rope" points="0,60;200,60"/></image></annotations>'
    )
    prediction = dense()
    ours = read_zones(tmp_path / "ls.json")
    theirs = read_zones(tmp_path / "cvat.xml")
    assert [zone.name for zone in ours.zones] == ["door", "door 2"]
    assert [zone.name for zone in theirs.zones] == ["door", "door 2", "rope"]
    assert theirs.zones[2].kind == "line"
    people = [count.people for count in (*ours.count(prediction), *theirs.count(prediction)[:2])]
    assert people == pytest.approx([people[0]] * 4)
    (tmp_path / "none.xml").write_text("<annotations/>")
    with pytest.raises(DataError, match="expected polygons, boxes or polylines"):
        read_zones(tmp_path / "none.xml")


def test_json_from_a_page_is_checked_like_a_file():
    with pytest.raises(DataError, match="in the page"):
        zones_from_json({"zones": [], "x": 1}, "the page")


def test_the_zones_of_the_documentation_are_read_and_fit():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "zones.md").read_text()
    content = json.loads(page.split("```json")[1].split("```")[0])
    zones = zones_from_json(content, "the page").fit((1920, 1282))
    assert [zone.name for zone in zones.counted] == ["west", "east", "middle"]
    assert all(zones.ground.square_metres(zone.shape((1920, 1282))) > 10 for zone in zones.counted)
    bands = [[float(cell.strip().removeprefix("to ")) for cell in line.split("|")[2:7]]
             for line in page.splitlines() if line.startswith(("| walkway", "| queue"))]  # fmt: skip
    for kind, limits in zip(("walkway", "queue"), bands, strict=True):
        for level, limit in zip("ABCDE", limits, strict=True):
            assert level_of_service(limit - 0.006, kind) == level
            assert level_of_service(limit + 0.006, kind) == chr(ord(level) + 1)


def test_holes_and_excluded_areas_come_back_from_their_file(tmp_path):
    zones = Zones((Zone("ring", LEFT_HALF, holes=(INNER,)), Zone("poster", INNER, exclude=True)))
    write_zones(tmp_path / "z.json", zones)
    assert read_zones(tmp_path / "z.json") == zones
