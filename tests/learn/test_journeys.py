"""Journeys of photos: the same way for the same lot, the crop's size, no drift of brightness, each change alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from crowdscale.errors import OptionError
from crowdscale.learn.crops import journeys
from crowdscale.learn.crops.transforms import CropOptions, Crops
from tests.support.learn_crowds import write_folder


@pytest.fixture
def photo():
    noise = np.random.default_rng(1).integers(60, 190, (64, 80, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.0)


@pytest.mark.parametrize("name", ["blur", "compress", "grain", "rescale", "sharpen", "travel"])
def test_a_change_keeps_size_and_brightness_and_follows_its_lot(photo, name):
    change = getattr(journeys, name)
    for seed in range(12):
        changed = change(photo, np.random.default_rng(seed))
        assert changed.shape == photo.shape
        assert changed.dtype == np.uint8
        assert abs(float(changed.mean()) - float(photo.mean())) < 6
        assert (changed == change(photo, np.random.default_rng(seed))).all()


def test_sharpening_adds_contrast_and_blur_and_rescaling_take_it(photo):
    for seed in range(12):
        after = {
            name: getattr(journeys, name)(photo, np.random.default_rng(seed)).std()
            for name in ("sharpen", "blur")
        }
        assert after["sharpen"] > photo.std() > after["blur"]
    rescaled = [journeys.rescale(photo, np.random.default_rng(seed)).std() for seed in range(30)]
    assert np.mean(rescaled) < photo.std()


def test_all_filters_occur():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    seen = {journeys.resample(pixels, 23, 23, np.random.default_rng(seed)).tobytes() for seed in range(80)}
    wanted = {cv2.resize(pixels, (23, 23), interpolation=each).tobytes() for each in journeys.FILTERS}
    assert seen == wanted
    assert len(wanted) == len(journeys.FILTERS)


def test_grey_has_no_colour(photo):
    grey = journeys.grey(photo)
    assert (grey[..., 0] == grey[..., 1]).all()
    assert (grey[..., 1] == grey[..., 2]).all()


def test_crops_that_travel_keep_their_points(tmp_path):
    samples = write_folder(tmp_path, [9, 14])
    plain = CropOptions(crop=96, jitter=0, scale_low=1.0, scale_high=1.0, flip=False, journeys=0.001)
    still, moved = (
        Crops(samples, [1, 1], CropOptions(**{**vars(plain), "journeys": s}), 20, 3) for s in (1e-9, 1.0)
    )
    differ = 0
    for number in range(20):
        (a, p, _), (b, q, _) = still[number], moved[number]
        assert (p.xy == q.xy).all()
        differ += int((a != b).any())
    assert differ > 15


def test_a_quilt_has_the_heads_of_its_nine_windows_on_its_pixels(tmp_path):
    samples = write_folder(tmp_path, [30])
    options = CropOptions(crop=192, jitter=0, scale_low=1 / 0.6, scale_high=1 / 0.6, quilt=1.0)
    crops = Crops(samples, [1], options, 30, seed=0)
    seen = 0
    for index in range(30):
        pixels, points, _ = crops[index]
        assert pixels.shape == (192, 192, 3)
        local = points.xy % 64  # windows of 64 px, cut at their photo's own scale
        assert np.all((points.xy >= -0.5) & (points.xy < 191.5))
        for (x, y), at in zip(points.xy, local, strict=True):
            if (at > 4).all() and (at < 59).all():
                seen += 1
                assert pixels[round(y), round(x)].tolist() == [230, 190, 170]
    assert seen > 20


def test_photos_are_not_reduced_until_heads_touch_or_the_photo_is_smaller_than_its_crop(tmp_path):
    (sample,) = write_folder(tmp_path, [40])
    spacing = sample.points.spacing()
    options = CropOptions(crop=32, jitter=0, scale_low=0.05, scale_high=2.0, least_spacing=spacing * 0.9)
    for index in range(10):
        points = Crops([sample], [1], options, 10, 0)[index][1]
        if len(points) > 1:
            distances = np.hypot(*(points.xy[:, None] - points.xy[None]).T)
            assert distances[~np.eye(len(points), dtype=bool)].min() > 0
    wide = CropOptions(crop=32, jitter=0, scale_low=0.05, scale_high=2.0, least_spacing=1e-6)
    photo = sample.read()
    for index in range(10):
        pixels = Crops([sample], [1], wide, 10, 0)[index].pixels
        grey = (pixels == 127).all(axis=2).mean()
        assert grey <= 1 - min(photo.shape[:2]) / max(photo.shape[:2]) + 0.1


@pytest.mark.parametrize(
    "options", [{"quilt": 2}, {"journeys": -1}, {"least_spacing": -1}, {"quilt": 0.5, "crop": 0}]
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(OptionError, match="--"):
        CropOptions(**options)
