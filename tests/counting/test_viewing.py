"""A prediction to look at: on the screen, on axes, in a file, in a notebook, in one line."""

from __future__ import annotations

import base64
import io
import json
import pickle
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageShow

from crowdscale.counting.viewing import kept_source
from crowdscale.errors import ImageError, OptionError
from tests.support.drawn import HEADS, REGION, grey, prediction


@pytest.fixture
def shown(tmp_path):
    """A prediction of a photo in a file."""
    Image.fromarray(grey()).save(tmp_path / "crowd.png")
    return prediction(source=str(tmp_path / "crowd.png"))


@pytest.mark.parametrize("kind", ["people", "heat", "zoom"])
def test_pictures_of_the_photo(shown, kind):
    drawn = shown.picture(kind)
    assert drawn.shape[1:] == (120, 3)
    assert (drawn != np.concatenate([grey(), np.zeros_like(drawn[80:])])).any()


def test_show_opens_the_viewer(shown, monkeypatch):
    seen = []

    class Viewer(ImageShow.Viewer):
        def show_image(self, image, **options):
            del options
            seen.append(image.size)
            return 1

    monkeypatch.setattr(ImageShow, "_viewers", [Viewer()])
    assert shown.show() is None
    assert seen == [shown.picture().shape[1::-1]]


def test_save_by_suffix(shown, tmp_path):
    assert shown.save(tmp_path / "drawn.png", "heat") == tmp_path / "drawn.png"
    assert (np.asarray(Image.open(tmp_path / "drawn.png")) == shown.picture("heat")).all()
    shown.save(tmp_path / "drawn.json")
    assert json.loads((tmp_path / "drawn.json").read_text()) == shown.to_dict()
    with pytest.raises(ImageError, match="suffix"):
        shown.save(tmp_path / "drawn.xyz")


def test_plot_on_axes(shown):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, ax = pyplot.subplots()
    assert shown.plot(ax) is ax
    assert np.asarray(ax.collections[0].get_offsets()) == pytest.approx(HEADS.xy)
    assert ax.patches[0].get_bbox().bounds == pytest.approx((29.5, 24.5, 60, 35))
    assert ax.get_title() == "3 people"
    pyplot.close(figure)


def test_plot_without_matplotlib_says_so(shown, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(OptionError, match="pip install matplotlib"):
        shown.plot()


def test_notebook_has_picture_and_words(shown):
    text = shown._repr_html_()
    data = re.search(r'<img alt="3 people" src="data:image/jpeg;base64,([^"]+)">', text)
    assert Image.open(io.BytesIO(base64.b64decode(data[1]))).size == shown.picture().shape[1::-1]
    lost = replace(shown, source=None, warnings=("Dark & <far>.",))
    assert lost._repr_html_() == "<p>3 people<br>Dark &amp; &lt;far&gt;.</p>"


def test_one_line(shown):
    assert repr(shown) == "Prediction(3 people, 120×80 px, m)"
    assert repr(replace(shown, warnings=("Dark.", "Far."))).endswith(", m, 2 warnings)")


def test_photo_may_be_named_later_and_must_be_that_one(shown):
    bare = replace(shown, source=None)
    assert (bare.picture(photo=grey()) == shown.picture()).all()
    with pytest.raises(ImageError, match="photo="):
        bare.picture()
    with pytest.raises(ImageError, match="120×80 pixels that was counted, but got one of 60×40"):
        bare.picture(photo=grey(40, 60))
    with pytest.raises(OptionError, match="heat"):
        shown.picture("dots")


def test_pixels_are_shown_while_the_caller_has_them_and_not_held(shown):
    pixels = grey()
    held = replace(shown, source=kept_source(pixels))
    assert (held.picture() == shown.picture()).all()
    del pixels
    with pytest.raises(ImageError, match="does not hold its photo"):
        held.picture()
    assert [kept_source(other) for other in (b"bytes", io.BytesIO(), [[1]])] == [None] * 3


def test_pixels_do_not_travel_with_a_pickle(shown):
    pixels = grey()
    assert pickle.loads(pickle.dumps(replace(shown, source=kept_source(pixels)))).source is None
    back = pickle.loads(pickle.dumps(shown))
    assert (back.source, back.count, back.regions) == (shown.source, 3.0, (REGION,))
