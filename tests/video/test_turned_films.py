"""``watch`` turns frames as ``count`` turns photos, in the words and the coordinates of the turned frame."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from crowdscale.counting.predictor import load
from crowdscale.errors import OptionError
from crowdscale.files.images import write_image
from crowdscale.points import Points
from crowdscale.video.frame import Frame, Source
from crowdscale.video.watch import WatchOptions, watch
from crowdscale.zones.zone import Zone, Zones
from tests.support.commands import crowdscale
from tests.support.fakes import label_photo

UPRIGHT = label_photo(Points([[30, 40], [60, 40], [200, 60]]), 240, 200)
LEFT = Zones((Zone("left", ((0, 0), (120, 0), (120, 200), (0, 200))),))


def lying(degrees, number=3):
    """A film whose frames must be turned clockwise by so much."""
    pixels = np.ascontiguousarray(np.rot90(UPRIGHT, degrees // 90))
    return Source("film", lambda source: (Frame(n, float(n), pixels) for n in range(number)))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_zones_and_heads_are_those_of_the_turned_frame(label_model, degrees):
    options = WatchOptions(turn=degrees, follow=True)
    seen = list(watch(lying(degrees), load(label_model), options, LEFT))
    assert [(each.row.count, each.row.zones[0].people) for each in seen] == [(3, 2)] * 3
    for each in seen:
        np.testing.assert_array_equal(each.frame.pixels, UPRIGHT)
        assert each.prediction.size == (240, 200)


def test_auto_is_decided_by_the_first_frame_and_said(label_model):
    class Doubting:
        """Finds that a photo higher than wide lies on its side."""

        def __init__(self, plain, options):
            self.plain, self.options = plain, options

        def with_options(self, **changes):
            return Doubting(self.plain, {**self.options, **changes})

        def predict(self, pixels):
            turn = 90 if self.options.get("turn") == "auto" and pixels.shape[0] > pixels.shape[1] else "off"
            return self.plain.with_options(turn=turn).predict(pixels)

    source = lying(90)
    seen = list(watch(source, Doubting(load(label_model), {}), WatchOptions(turn="auto"), LEFT))
    assert [each.row.zones[0].people for each in seen] == [2, 2, 2]
    assert source.notes == [
        "film seems to lie on its side or upside down: each frame is turned by 90° clockwise, as with --turn 90."
    ]
    source = lying(180)
    seen = list(watch(source, Doubting(load(label_model), {}), WatchOptions(turn="auto")))
    assert (len(seen), source.notes) == (3, [])


def test_another_turn_is_refused():
    with pytest.raises(OptionError, match="turn as off, auto, 90, 180, 270"):
        WatchOptions(turn=45)


def test_the_command_takes_the_words_of_count(label_model, tmp_path):
    (tmp_path / "frames").mkdir()
    for number in range(2):
        write_image(tmp_path / "frames" / f"{number}.png", np.ascontiguousarray(np.rot90(UPRIGHT)))
    given = "watch", tmp_path / "frames", "--model", label_model, "--rows", tmp_path / "rows.csv"
    done = crowdscale(*given, "--turn", "90", "--video", tmp_path / "film.mp4")
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader((tmp_path / "rows.csv").open()))
    assert [float(row["count"]) for row in rows] == [3, 3]
    done = crowdscale(*given, "--turn", "180")
    assert "expected the options of the rows" in done.stderr
    assert "turn 90" in done.stderr
    done = crowdscale(*given[:4], "--turn", "45")
    assert (done.returncode, done.stderr.startswith("Error: expected --turn as off, auto, 90")) == (2, True)
