"""Formats that training code of others reads: ShanghaiTech's .mat, density maps, LabelMe, VIA."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat

from crowdscale.data import Folder, Sample
from crowdscale.data.conversion import WRITTEN, convert, open_source
from crowdscale.errors import DataError
from crowdscale.points import Points
from tests.support.layouts import SIZE, write_photo

XY = [[10.25, 20.5], [40, 30], [0, 0]]


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    photos = [write_photo(tmp_path / "photos" / "images" / name) for name in ("IMG_1.jpg", "IMG_2.jpg")]
    return [Sample("images/IMG_1", photos[0], Points(XY)), Sample("images/IMG_2", photos[1], Points())]


def test_mat_lies_and_nests_as_in_shanghaitech(tmp_path: Path, samples: list[Sample]) -> None:
    done = convert(samples, tmp_path / "out", WRITTEN["mat"], photos="copy")
    truth = loadmat(tmp_path / "out" / "ground_truth" / "GT_IMG_1.mat")["image_info"][0, 0][0, 0]
    assert truth[0].tolist() == XY
    assert int(truth[1][0, 0]) == 3
    assert (done.files, done.heads) == (2, 3)
    assert [sample.points for sample in Folder(tmp_path / "out")] == [Points(XY), Points()]


def test_density_maps_sum_to_the_heads(tmp_path: Path, samples: list[Sample]) -> None:
    for name in ("density-npy", "density-tif"):
        convert(samples, tmp_path / name, WRITTEN[name])
    density = np.load(tmp_path / "density-npy" / "images" / "IMG_1.npy")
    with Image.open(tmp_path / "density-tif" / "images" / "IMG_1_density.tif") as image:
        assert np.array_equal(np.asarray(image), density)
    assert density.shape == SIZE[::-1]
    assert density.sum() == pytest.approx(3, abs=1e-5)
    assert np.load(tmp_path / "density-npy" / "images" / "IMG_2.npy").sum() == 0


def test_density_maps_beside_photos_are_no_photos(tmp_path: Path, samples: list[Sample]) -> None:
    convert(samples, tmp_path / "out", WRITTEN["density-tif"], photos="copy")
    convert(samples, tmp_path / "out", WRITTEN["csv"])
    assert [sample.name for sample in Folder(tmp_path / "out")] == ["images/IMG_1", "images/IMG_2"]


def test_density_maps_lose_nobody_in_silence(tmp_path: Path, samples: list[Sample]) -> None:
    outside = [Sample("a", samples[0].image_path, Points([[200, 5]]))]
    with pytest.raises(DataError, match=r"heads inside a\.jpg, but got 1 outside"):
        convert(outside, tmp_path / "out", WRITTEN["density-npy"])


def test_labelme_and_via_carry_boxes(tmp_path: Path, samples: list[Sample]) -> None:
    for name, target in (("labelme", tmp_path / "lm"), ("via", tmp_path / "via.json")):
        convert(samples, target, WRITTEN[name], box=8)
    shape = json.loads((tmp_path / "lm" / "images" / "IMG_1.json").read_text())["shapes"][0]
    assert (shape["shape_type"], shape["points"]) == ("rectangle", [[6.75, 17.0], [14.75, 25.0]])
    regions = json.loads((tmp_path / "via.json").read_text())["images/IMG_1.jpg-1"]["regions"]
    assert regions[0]["shape_attributes"] == {
        "name": "rect",
        "x": 6.75,
        "y": 17.0,
        "width": 8.0,
        "height": 8.0,
    }


def test_a_class_is_chosen_in_the_source(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg").with_suffix(".csv").write_text("x,y,class\n1,2,head\n3,4,car\n")
    with pytest.raises(DataError, match=r"several classes: head 1, car 1\. .* --class head"):
        Folder(tmp_path)
    assert open_source(f"{tmp_path}?class=car")[0][0].points == Points([[3, 4]])
    assert open_source(f"folder:{tmp_path}?class=all")[0][0].points == Points([[1, 2], [3, 4]])
    with pytest.raises(DataError, match=r"expected the class dog in .*a\.csv, but got head 1, car 1"):
        open_source(f"{tmp_path}?class=dog")
