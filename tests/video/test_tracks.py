"""Track rows: one a head, with metres where the ground is known, as CSV and Parquet."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from crowdscale.errors import OptionError
from crowdscale.points import Points
from crowdscale.video.tracks import Tracker, TrackWriter, pedpy_trajectories
from crowdscale.zones.ground import Ground

SIZE = (200, 100)
GROUND = Ground(((0, 0), (200, 0), (200, 100), (0, 100)), ((0, 0), (20, 0), (20, 10), (0, 10)))


def rows(ground=None):
    tracker, out = Tracker(ground), []
    for step in range(4):
        points = Points(np.array([[10 + 5 * step, 50], [150 - 5 * step, 60]], float), np.array([0.9, 0.5]))
        ids = tracker.update(points, step * 0.5, SIZE)
        out += tracker.rows(points, ids, step * 0.5)
    return out


def test_each_head_has_a_row_with_its_track():
    made = rows()
    assert [row.track for row in made] == [0, 1] * 4
    assert (made[-1].time, made[-1].x, made[-1].y, made[-1].confidence) == (1.5, 135, 60, 0.5)
    assert made[0].x_m is None


def test_csv(tmp_path):
    with TrackWriter(tmp_path / "tracks.csv", metres=True) as writer:
        writer.write(rows(GROUND))
    lines = list(csv.DictReader((tmp_path / "tracks.csv").open()))
    assert lines[2] == {
        "track": "0", "time": "0.5", "x": "15.0", "y": "50.0", "confidence": "0.9", "x_m": "1.5", "y_m": "5.0",
    }  # fmt: skip
    assert len(lines) == 8


def test_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    with TrackWriter(tmp_path / "tracks.parquet") as writer:
        writer.write(rows())
    table = parquet.read_table(tmp_path / "tracks.parquet").to_pydict()
    assert table["track"] == [0, 1] * 4
    assert table["x"][:2] == [10, 150]


def test_wrong_targets_are_refused(tmp_path):
    with pytest.raises(OptionError, match=r"\.csv or \.parquet"):
        TrackWriter(tmp_path / "tracks.txt")
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="can be written"):
        TrackWriter(tmp_path / "file" / "tracks.csv")


def test_pedpy_takes_the_tracks():
    pytest.importorskip("pedpy")
    tracks = pedpy_trajectories(rows(GROUND), frame_rate=2)
    assert tracks.data["id"].nunique() == 2
    assert sorted(tracks.data["frame"].unique().tolist()) == [0, 1, 2, 3]
    with pytest.raises(OptionError, match="in metres"):
        pedpy_trajectories(rows(), frame_rate=2)
