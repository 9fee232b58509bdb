"""Hard negatives: crops of photos that show nobody, and how many of them."""

import numpy as np
import pytest

from crowdscale.data.sample import Sample
from crowdscale.errors import OptionError
from crowdscale.files.images import write_image
from crowdscale.learn.crops.negatives import empty_crop
from crowdscale.learn.crops.transforms import CropOptions, Crops
from crowdscale.points import Points
from tests.support.learn_crowds import draw, write_folder

HEAD = (230, 190, 170)


def half_crowd(width=400, height=200):
    """A photo with a crowd on the left and nobody on the right."""
    pixels, xy = draw(width, height, 120, 5)
    left = xy[:, 0] < width / 2 - 60
    ground = np.random.default_rng(0).integers(60, 120, pixels.shape).astype(np.uint8)
    pixels[:, width // 2 - 50 :] = ground[:, width // 2 - 50 :]
    return pixels, Points(xy[left])


def test_an_empty_window_of_a_photo_holds_no_head():
    pixels, points = half_crowd()
    for seed in range(30):
        crop = empty_crop(pixels, points, 96, np.random.default_rng(seed))
        assert crop.shape == (96, 96, 3)
        assert (np.abs(crop.astype(int) - HEAD).sum(axis=2) > 40).all()
        assert 55 < crop.mean() < 125  # the photo's ground


def test_a_photo_full_of_people_has_no_empty_window():
    pixels, xy = draw(200, 200, 400, 1)
    assert all(empty_crop(pixels, Points(xy), 64, np.random.default_rng(seed)) is None for seed in range(6))


def test_a_photo_full_of_people_gives_crops_with_people(tmp_path):
    pixels, xy = draw(200, 200, 400, 1)
    write_image(tmp_path / "full.png", pixels)
    crops = Crops([Sample("full", tmp_path / "full.png", Points(xy))], [1],
                  CropOptions(crop=64, negatives=0.9), 8, seed=1)  # fmt: skip
    assert all(len(crops[index][1]) for index in range(8))


def test_the_share_of_empty_crops_is_what_was_asked_for(tmp_path):
    pixels, points = half_crowd()
    write_image(tmp_path / "a.png", pixels)
    samples = [Sample("a", tmp_path / "a.png", points)]
    crops = Crops(
        samples, [1], CropOptions(crop=64, negatives=0.4, scale_low=0.5, scale_high=0.5), 300, seed=2
    )
    empty = sum(not len(crops[index][1]) for index in range(300)) / 300
    none = Crops(samples, [1], CropOptions(crop=64, scale_low=0.5, scale_high=0.5), 300, seed=2)
    without = sum(not len(none[index][1]) for index in range(300)) / 300
    assert 0.3 < (empty - without) / (1 - without) < 0.5


def test_crops_with_negatives_depend_on_their_number_alone(tmp_path):
    samples = write_folder(tmp_path, [10, 20])
    options = CropOptions(crop=64, negatives=0.5)
    first, again = (Crops(samples, [1, 1], options, 10, seed=3) for _ in range(2))
    for index in (7, 2, 5):
        assert (first[index][0] == again[index][0]).all()


@pytest.mark.parametrize(
    "values",
    [{"negatives": 1.0}, {"negatives": -0.1}, {"negatives": 0.1, "crop": 0}],
)
def test_shares_out_of_range_are_refused(values):
    with pytest.raises(OptionError, match="negatives"):
        CropOptions(**values)
