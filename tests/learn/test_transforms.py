"""Training crops: the same for the same number, their points on the pixels, varied as by other cameras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crowdscale.errors import OptionError
from crowdscale.learn.crops.transforms import CAST, DEGRADED, SATURATION, CropOptions, Crops, _other_camera
from crowdscale.points import Points
from tests.support.learn_crowds import write_folder


def test_a_crop_depends_on_its_number_alone(tmp_path):
    samples = write_folder(tmp_path, [10, 20])
    options = CropOptions(crop=64)
    first, again = (Crops(samples, [1, 1], options, 10, seed=3) for _ in range(2))
    for index in (7, 2, 7):
        (a, p, _), (b, q, _) = first[index], again[index]
        assert (a == b).all()
        assert (p.xy == q.xy).all()
    assert not (first[1][0] == first[2][0]).all()


def test_crop_points_follow_the_pixels(tmp_path):
    samples = write_folder(tmp_path, [1])
    options = CropOptions(crop=96, jitter=0, scale_low=1.0, scale_high=1.0)
    crops = Crops(samples, [1], options, 40, seed=0)
    seen = 0
    for index in range(40):
        pixels, points, _ = crops[index]
        inside = Points(points.xy).xy[((points.xy > 4) & (points.xy < 91)).all(axis=1)]
        for x, y in inside:
            seen += 1
            assert pixels[round(y), round(x)].tolist() == [230, 190, 170]
    assert seen > 5


def test_points_beside_heads_are_brought_to_them_before_crops_are_mirrored(tmp_path):
    (sample,) = write_folder(tmp_path, [12])
    aside = replace(sample, points=sample.points.shift(3, 5))
    plain = CropOptions(crop=128, jitter=0)
    moved = replace(plain, points_right=3, points_below=5)
    right, left = Crops([sample], [1], plain, 20, 3), Crops([aside], [1], moved, 20, 3)
    for number in range(20):  # some of them mirrored, all of them enlarged
        np.testing.assert_array_equal(right[number][0], left[number][0])
        np.testing.assert_allclose(right[number][1].xy, left[number][1].xy)


def test_colours_of_other_cameras_are_mixed_with_grey_and_cast():
    pixels = np.random.default_rng(9).integers(40, 160, (64, 64, 3)).astype(np.uint8)
    sharp = [seed for seed in range(40) if _colour(seed)[2] > DEGRADED * 0.5]  # neither blurred nor JPEG
    assert len(sharp) > 5
    for seed in sharp:
        gains, saturation, _ = _colour(seed)
        grey = pixels @ (0.299, 0.587, 0.114)
        wanted = (pixels * saturation + grey[..., None] * (1 - saturation)) * gains
        seen = _other_camera(pixels, 0.5, np.random.default_rng(seed))
        np.testing.assert_allclose(seen, np.clip(wanted, 0, 255), atol=1)


def _colour(seed: int) -> tuple[np.ndarray, float, float]:
    """Return the gains and the saturation that are drawn, and the smaller chance of blur and JPEG."""
    random = np.random.default_rng(seed)
    gains = np.exp(random.normal(0, CAST * 0.5, 3))
    saturation = float(np.exp(random.normal(0, SATURATION * 0.5)))
    return gains, saturation, float(random.random(2).min())


def test_other_cameras_stretch_crops_with_their_points(tmp_path):
    samples = write_folder(tmp_path, [1])
    options = CropOptions(crop=96, jitter=0, scale_low=1.0, scale_high=1.0, variety=1.0)
    plain = Crops(samples, [1], replace(options, variety=0.0), 60, seed=0)
    varied = Crops(samples, [1], options, 60, seed=0)
    seen = 0
    for index in range(60):
        pixels, points, _ = varied[index]
        assert (pixels != plain[index][0]).any()
        for x, y in points.xy[((points.xy > 4) & (points.xy < 91)).all(axis=1)]:
            seen += 1
            assert pixels[round(y), round(x)].mean() > pixels.mean() + 30
    assert seen > 5
    with pytest.raises(OptionError, match="--variety"):
        CropOptions(variety=1.5)


def test_crops_around_a_head_hold_more_people_and_stay_within_the_photo(tmp_path):
    samples = write_folder(tmp_path, [1])
    plain = CropOptions(crop=64, jitter=0, scale_low=1.0, scale_high=1.0)
    crowded = replace(plain, crowded=1.0)

    def held(options):
        crops = Crops(samples, [1], options, 40, seed=0)
        shown = [crops[index] for index in range(40)]
        assert all((pixels != 127).any(axis=(1, 2)).all() for pixels, _, _ in shown)  # no row of padding
        return [bool(((p.xy >= 0) & (p.xy < 64)).all(axis=1).sum()) for _, p, _ in shown]

    assert all(held(crowded))
    assert sum(held(plain)) < 30
    for wrong in ({"crowded": 1.5}, {"crowded": 0.5, "crop": 0}):
        with pytest.raises(OptionError, match="--crowded"):
            CropOptions(**wrong)


def test_photos_of_nobody_are_cut_anywhere(tmp_path):
    crops = Crops(write_folder(tmp_path, [0]), [1], CropOptions(crop=64, crowded=1.0), 4, seed=0)
    assert [crops[index][0].shape for index in range(4)] == [(64, 64, 3)] * 4


def test_mosaics_hold_a_quarter_of_each_of_four_photos_with_its_heads(tmp_path):
    samples = write_folder(tmp_path, [1, 1, 1])
    plain = CropOptions(crop=96, jitter=0, scale_low=1.0, scale_high=1.0)
    mosaics = Crops(samples, [1, 1, 1], replace(plain, mosaic=1.0), 60, seed=0)
    seen, several, beyond = 0, 0, 0
    for index in range(60):
        pixels, points, _ = mosaics[index]
        assert pixels.shape == (96, 96, 3)
        several += len(points) > 1  # a window of one photo has one head
        inside = np.all((points.xy >= -0.5) & (points.xy < 95.5), axis=1)
        beyond += int((~inside).sum())  # as around any crop: a head there is near to pixels of the crop
        for x, y in points.xy[inside]:
            seen += 1
            assert pixels[round(y), round(x)].tolist() == [230, 190, 170]
    assert seen > 10
    assert several
    assert beyond
    same = Crops(samples, [1, 1, 1], replace(plain, mosaic=1.0), 60, seed=0)
    assert (same[7][0] == mosaics[7][0]).all()
    for wrong in ({"mosaic": 1.5}, {"mosaic": 0.5, "crop": 0}):
        with pytest.raises(OptionError, match="--mosaic"):
            CropOptions(**wrong)
