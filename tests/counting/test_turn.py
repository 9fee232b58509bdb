"""Turning a photo before it is counted: by hand, and where the warning says so."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from crowdscale.counting.predictor import PredictOptions, load
from crowdscale.errors import OptionError
from crowdscale.files.images import Photo, read_image
from tests.support.commands import crowdscale

CROSSING = Path(__file__).parents[2] / "examples" / "crossing.jpg"


@pytest.fixture(scope="module")
def upright():
    """The crossing at half its sides: a quarter of the time."""
    return cv2.resize(read_image(CROSSING).pixels, (960, 641), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def predictor():
    return load("nano", threads=1, options=PredictOptions(turn="auto", keep_map=False))


@pytest.fixture(scope="module")
def known(predictor, upright):
    return predictor.predict(upright)


def test_an_upright_photo_stays_as_it_is(known):
    assert (known.turn, known.size, known.warnings) == (0, (960, 641), ())


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_auto_counts_a_turned_photo_as_the_upright_one(predictor, upright, known, degrees):
    """It lies turned by so much counter-clockwise, and is turned back clockwise."""
    lying = np.ascontiguousarray(np.rot90(upright, degrees // 90))
    warned = predictor.with_options(turn="off").predict(lying)
    assert "seems to" in warned.warnings[0]
    prediction = predictor.predict(lying)
    assert (prediction.turn, prediction.size, prediction.warnings) == (degrees, known.size, ())
    assert prediction.count == pytest.approx(known.count, abs=1e-3)
    np.testing.assert_allclose(prediction.points.xy, known.points.xy, atol=1e-3)
    assert prediction.interval() == known.interval()
    assert prediction.to_dict()["turn"] == degrees
    by_hand = predictor.with_options(turn=degrees).predict(lying)
    assert by_hand.count == pytest.approx(known.count, abs=1e-3)
    assert prediction.picture().shape[1] == known.picture(photo=upright).shape[1]


def test_exif_is_applied_before(predictor, upright, known, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(upright)))
    stored.save(tmp_path / "phone.png", exif=exif)
    prediction = predictor.predict(tmp_path / "phone.png")
    assert (prediction.turn, prediction.size) == (0, known.size)
    assert prediction.count == pytest.approx(known.count, abs=1e-3)


def test_a_photo_turns_clockwise():
    photo = Photo(np.arange(24, dtype=np.uint8).reshape(2, 4, 3), (40, 20), ("kept",))
    assert photo.turned(0) is photo
    right = photo.turned(90)
    assert (right.size, right.warnings, right.pixels.shape) == ((20, 40), ("kept",), (4, 2, 3))
    np.testing.assert_array_equal(right.pixels[0, 1], photo.pixels[0, 0])
    np.testing.assert_array_equal(right.turned(270).pixels, photo.pixels)
    assert photo.turned(180).size == (40, 20)


@pytest.mark.parametrize("turn", ["left", 45, "90", None])
def test_another_turn_is_refused(turn):
    with pytest.raises(OptionError, match="turn as off, auto, 90, 180, 270"):
        PredictOptions(turn=turn)


def test_the_command_turns_on_request_and_names_it(upright, tmp_path):
    Image.fromarray(np.ascontiguousarray(np.rot90(upright))).save(tmp_path / "lying.jpg", quality=95)
    arguments = "count", tmp_path / "lying.jpg", "--model", "nano", "--threads", 1
    done = crowdscale(*arguments, "--json", tmp_path / "a.json")
    assert "Run with --turn auto." in done.stderr
    assert json.loads((tmp_path / "a.json").read_text())[0]["notes"] == ["Run with --turn auto."]
    assert "do not rely on it" in done.stdout
    done = crowdscale(*arguments, "--turn", "auto", "--save", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Turned by 90° clockwise before counting." in done.stdout
    width, height = Image.open(tmp_path / "out" / "lying_people.jpg").size
    assert width > height
    done = crowdscale(*arguments, "--turn", 45)
    assert (done.returncode, done.stderr.startswith("Error: expected --turn as off, auto, 90")) == (2, True)
