"""Heads in other tools' types: read back by those tools, or by our own readers."""

from __future__ import annotations

import builtins
import json
from itertools import pairwise

import numpy as np
import pytest

from crowdscale.counting.prediction import Prediction, Region
from crowdscale.data.formats.coco import read_coco
from crowdscale.data.formats.label import label_of
from crowdscale.errors import OptionError
from crowdscale.points import Box, Points

XY = np.array([[10.0, 20.0], [14.0, 20.0], [200.5, 100.25]])
HEADS = Points(XY, np.array([0.5, 1.0, 0.25]))


def prediction(points=HEADS):
    region = Region(Box(0, 10, 30, 40), 1.5, 1.8, 2.0)
    return Prediction(3.0, points, None, (region,), 2.8, points, (400, 300), "known")


def without(monkeypatch, *missing):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.split(".")[0] in missing:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)


def test_supervision_reads_them():
    supervision = pytest.importorskip("supervision")
    found = prediction().to_supervision()
    assert isinstance(found, supervision.Detections)
    assert found.get_anchors_coordinates(supervision.Position.CENTER) == pytest.approx(XY)
    assert found.confidence == pytest.approx([0.5, 1.0, 0.25])
    assert found["class_name"].tolist() == ["person"] * 3
    assert (found[found.confidence > 0.4]["point"] == XY[:2]).all()
    zone = supervision.PolygonZone(np.array([[0, 0], [50, 0], [50, 50], [0, 50]]))
    assert zone.trigger(found).tolist() == [True, True, False]
    assert len(prediction(Points()).to_supervision()) == 0


def test_boxes_have_the_room_of_their_heads_or_the_side_asked_for():
    pytest.importorskip("pandas")
    rows = [line.split(",") for line in prediction().to_mot(7)]
    assert [row[:2] for row in rows] == [["7", "-1"]] * 3
    left, top, width, height = np.array(rows)[:, 2:6].astype(float).T
    assert np.stack([left - 1 + width / 2, top - 1 + height / 2], 1) == pytest.approx(XY, abs=0.011)
    assert (width == height).all()
    assert width.max() == 16  # 400 / 25: nobody is that far from others
    assert [row[6:] for row in rows] == [[f"{c:.4f}", "-1", "-1", "-1"] for c in (0.5, 1.0, 0.25)]
    assert {row.split(",")[4] for row in prediction().to_mot(side=8)} == {"8.00"}


def test_coco_is_read_back(tmp_path):
    content = prediction().to_coco("a.jpg")
    (tmp_path / "coco.json").write_text(json.dumps(content))
    entry = read_coco(tmp_path / "coco.json")["a.jpg"]
    label = label_of(entry.marks, entry.size, "coco.json")
    assert label.points.xy == pytest.approx(XY)
    assert label.size == (400, 300)
    assert [each["score"] for each in content["annotations"]] == [0.5, 1.0, 0.25]


def test_geojson_lies_on_the_map():
    content = prediction().to_geojson((500_000, 0.1, 0, 4_000_000, 0, -0.1))
    *heads, region = content["features"]
    assert heads[0]["geometry"] == {"type": "Point", "coordinates": pytest.approx([500_001.05, 3_999_997.95])}
    assert heads[0]["properties"] == {"kind": "head", "confidence": 0.5}
    (ring,) = region["geometry"]["coordinates"]
    assert ring[0] == ring[-1] == pytest.approx([500_000, 3_999_999])
    area = 0.5 * sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
    assert area == pytest.approx(9.0, rel=1e-4)  # 3 m × 3 m, counter-clockwise as the standard wants
    assert region["properties"]["zoom"] == 1.5
    assert prediction().to_geojson()["features"][0]["geometry"]["coordinates"] == [10.5, -20.5]
    json.dumps(content)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames(library, monkeypatch):
    module = pytest.importorskip(library)
    without(monkeypatch, {"pandas": "polars", "polars": "pandas"}[library])
    frame = prediction().to_dataframe()
    assert isinstance(frame, module.DataFrame)
    assert list(frame.columns) == ["x", "y", "confidence"]
    assert frame["x"].to_numpy() == pytest.approx(XY[:, 0])


@pytest.mark.parametrize(
    ("missing", "call"),
    [(("supervision",), "to_supervision"), (("pandas", "polars"), "to_dataframe")],
    ids=["supervision", "frames"],
)
def test_a_library_that_is_missing_is_one_sentence(missing, call, monkeypatch):
    without(monkeypatch, *missing)
    with pytest.raises(OptionError, match=r"installed\. pip install"):
        getattr(prediction(), call)()


@pytest.mark.parametrize("call", ["to_supervision", "to_coco", "to_geojson", "to_dataframe", "to_mot"])
def test_a_model_without_positions_says_so(call):
    with pytest.raises(OptionError, match="expected a model that locates heads, but got known"):
        getattr(prediction(None), call)()


@pytest.mark.parametrize(
    ("call", "arguments", "sentence"),
    [
        ("to_mot", {"frame": 0}, "count from 1"),
        ("to_coco", {"side": -1}, "above 0"),
        ("to_geojson", {"transform": (1, 2)}, "six numbers"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_for(call, arguments, sentence):
    with pytest.raises(OptionError, match=sentence):
        getattr(prediction(), call)(**arguments)
