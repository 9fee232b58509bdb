"""A size that changes in a film costs no output anything: rows, zones, tracks, film, heat and plot go on."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from crowdscale.files.images import write_image
from crowdscale.points import Points
from tests.support.commands import crowdscale
from tests.support.fakes import label_photo

av = pytest.importorskip("av")

ZONES = {
    "size": [240, 200],
    "zones": [
        {"name": "left", "points": [[0, 0], [120, 0], [120, 200], [0, 200]]},
        {"name": "gate", "kind": "line", "points": [[120, 0], [120, 200]]},
    ],
}


@pytest.mark.parametrize("turn", ["off", "90"])
def test_all_outputs_go_on(label_model, tmp_path, turn):
    """A person walks from left to right while the frames double their size."""
    for step in range(8):
        factor = 1 if step < 4 else 2
        heads = Points([[40 + 22 * step, 60], [40, 150]]).scale(factor, factor)
        photo = label_photo(heads, 240 * factor, 200 * factor)
        quarters = 1 if turn == "90" else 0
        write_image(tmp_path / "film" / f"{step}.png", np.ascontiguousarray(np.rot90(photo, quarters)))
    (tmp_path / "zones.json").write_text(json.dumps(ZONES))
    done = crowdscale(
        "watch", tmp_path / "film", "--fps", 5, "--every", "0s", "--model", label_model, "--turn", turn,
        "--read-scale", 1, "--zones", tmp_path / "zones.json", "--rows", tmp_path / "rows.csv", "--tracks", tmp_path / "tracks.csv",
        "--video", tmp_path / "out.mp4", "--heat", tmp_path / "heat.png", "--plot", tmp_path / "plot.png",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "change from 240×200 to 480×400" in done.stderr
    rows = list(csv.DictReader((tmp_path / "rows.csv").open()))
    assert [float(row["count"]) for row in rows] == [2] * 8
    assert [float(row["left"]) for row in rows] == [2, 2, 2, 2, 1, 1, 1, 1]
    assert (rows[-1]["gate forward"], rows[-1]["gate backward"]) == ("0", "1")
    assert (rows[-1]["left different"], rows[-1]["left left"]) == ("2", "1")
    tracks = list(csv.DictReader((tmp_path / "tracks.csv").open()))
    assert {row["track"] for row in tracks} == {"0", "1"}
    with av.open(str(tmp_path / "out.mp4")) as film:
        shown = [(frame.width, frame.height) for frame in film.decode(video=0)]
    assert (len(shown), len(set(shown))) == (8, 1)
    assert Image.open(tmp_path / "heat.png").size[0] == 240
    assert (tmp_path / "plot.png").exists()
