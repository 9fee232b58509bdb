"""Cells: the zoom to the true spacing, which no network can know."""

from dataclasses import replace

import numpy as np
import pytest

from crowdscale.counting.predictor import PredictOptions, Predictor
from crowdscale.data.sample import Sample
from crowdscale.errors import OptionError
from crowdscale.files.images import write_image
from crowdscale.points import Box, Points
from research.reproduce.cells import TrueSpacing
from tests.support.fakes import TruthBackend, coordinate_photo, truth_config

BOX = Box(20, 10, 100, 80)


def sample(tmp_path, points):
    write_image(tmp_path / "photo.png", coordinate_photo(120, 90))
    return Sample("photo", tmp_path / "photo.png", points)


def oracle(photo, wanted=13.0):
    predictor = Predictor(TruthBackend(photo.points), truth_config(BOX), PredictOptions())
    return TrueSpacing(predictor, [photo], wanted)


@pytest.mark.parametrize(("gap", "factor"), [(9, 13 / 9), (13, 1.0), (4, 5**0.5), (35, 0.5**0.5)])
def test_a_region_is_brought_to_the_wanted_spacing_within_the_limits_of_the_factor(tmp_path, gap, factor):
    grid = np.stack(np.meshgrid(np.arange(24, 98, gap), np.arange(14, 78, gap)), -1).reshape(-1, 2)
    photo = sample(tmp_path, Points(grid.astype(float)))
    found = oracle(photo).predict(photo.image_path)
    assert found.regions[0].zoom == pytest.approx(factor)
    assert found.count == len(grid)


@pytest.mark.parametrize("points", [Points(), Points([[60, 45]])], ids=["nobody", "one person"])
def test_without_a_spacing_a_region_stays_as_it_is(tmp_path, points):
    photo = sample(tmp_path, points)
    found = oracle(photo).predict(photo.image_path)
    assert found.regions[0].zoom == 1
    assert found.count == len(points)


def test_resized_photos_are_refused(tmp_path):
    photo = replace(sample(tmp_path, Points()), size=(60, 45))
    with pytest.raises(OptionError, match="their own size"):
        oracle(photo)
