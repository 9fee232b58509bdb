"""The picture of a counted frame says what its row says: the count, its interval, each warning, and who crossed a line."""

from __future__ import annotations

import numpy as np
import pytest

from crowdscale.drawing import captions
from crowdscale.drawing.trails import Trails
from crowdscale.models.description import read_config
from crowdscale.models.finding import find_model
from crowdscale.video.frame import Frame, Source
from crowdscale.video.pictures import counted_frame
from crowdscale.video.watch import DAMAGED, WatchOptions, watch
from crowdscale.zones import pictures
from crowdscale.zones.zone import Zone, Zones
from tests.support.drawn import grey, prediction

CALIBRATION = read_config(find_model("nano")).calibration
ZONES = Zones((Zone("gate", ((60, 0), (60, 80)), "line"),))


class Fixed:
    """Finds the same people in each photo."""

    def __init__(self, **more):
        self.more = more

    def predict(self, pixels):
        return prediction(regions=(), calibration=CALIBRATION, **self.more)

    def with_options(self, **changes):
        return self


@pytest.mark.parametrize(
    ("damaged", "notes", "warnings"),
    [(False, (), ()), (True, ("Page 2 of a file.",), ("The photo is dark.",))],
    ids=["plain", "warned"],
)
def test_a_picture_says_what_its_row_says(monkeypatch, damaged, notes, warnings):
    said, plates = [], []
    draw, mask = captions.draw_caption, pictures.text_mask
    monkeypatch.setattr(captions, "draw_caption", lambda i, text, *c: said.append(text) or draw(i, text, *c))
    monkeypatch.setattr(pictures, "text_mask", lambda text, *rest: plates.append(text) or mask(text, *rest))
    frame = Frame(0, 0.0, grey(), damaged, notes)
    source = Source("film", lambda _: iter([frame]))
    options = WatchOptions(every=0, follow=True)
    (each,) = watch(source, Fixed(warnings=warnings), options, ZONES)
    picture = counted_frame(each, trails=Trails())
    assert picture.shape[1] == 120
    interval = "" if each.row.interval is None else " (likely {}–{})".format(*each.row.interval)
    assert said == [f"3 people{interval}", *each.row.warnings]
    assert (interval == "") == bool(warnings or notes or damaged)
    assert each.row.warnings == ((*notes, DAMAGED, *warnings) if damaged else ())
    assert plates == ["gate", "0 forward, 0 backward"]
    np.testing.assert_array_equal(each.frame.pixels, grey())
