"""Areas to ignore: exact masks of boxes, polygons and run lengths, read from and written to annotation files."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from crowdscale.data.areas import Area, Areas, run_areas
from crowdscale.data.conversion import convert, open_source, target_format
from crowdscale.data.folder import Folder
from crowdscale.data.sample import Mask, Sample
from crowdscale.data.sets.crowdhuman import CrowdHuman
from crowdscale.errors import DataError
from crowdscale.metrics import Scoring
from crowdscale.metrics.samples import sample_truth
from crowdscale.points import Points

SIZE = (40, 30)


@pytest.fixture
def photo(tmp_path):
    Image.new("RGB", SIZE, (90, 120, 90)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def box_mask(left, top, right, bottom, size=SIZE):
    mask = np.ones(size[::-1], bool)
    mask[top:bottom, left:right] = False
    return mask


def test_boxes_are_exact_and_those_alone_to_count_turn_the_mask_round():
    box = Area.of_box(5, 6, 20, 30)
    np.testing.assert_array_equal(Areas(SIZE, (box,)).read(), box_mask(5, 6, 20, 30))
    np.testing.assert_array_equal(Areas(SIZE, only=(box,)).read(), ~box_mask(5, 6, 20, 30))
    both = Areas(SIZE, (Area.of_box(5, 6, 7, 8),), (box,)).read()
    np.testing.assert_array_equal(both, ~box_mask(5, 6, 20, 30) & box_mask(5, 6, 7, 8))
    np.testing.assert_array_equal(Areas(SIZE, (Area.of_box(-9, -9, 99, 3),)).read(), box_mask(0, 0, 40, 3))


def test_a_polygon_ignores_the_pixels_in_it_and_on_its_edge_alone():
    mask = Areas(SIZE, (Area.of_polygon([(10, 2), (30, 2), (10, 22)]),)).read()
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    depth = np.minimum.reduce([columns + 0.5 - 10, rows + 0.5 - 2, (32 - columns - rows - 1) / np.sqrt(2)])
    assert not mask[depth > 0].any()
    assert mask[depth < -1].all()


def test_run_lengths_are_exact_however_they_are_scaled():
    random = np.random.default_rng(0)
    ignored = random.random((13, 9)) < 0.4
    steps = np.flatnonzero(np.diff(ignored.ravel(order="F"), prepend=False, append=False))
    areas = tuple(run_areas(steps[::2], steps[1::2], 13))
    np.testing.assert_array_equal(~Areas((9, 13), areas).read(), ignored)
    doubled = tuple(area.moved(lambda points: points.scale(2)) for area in areas)
    np.testing.assert_array_equal(~Areas((18, 26), doubled).read(), ignored.repeat(2, 0).repeat(2, 1))


CROWDS = [
    ({"bbox": [5, 6, 15, 12]}, box_mask(5, 6, 20, 18)),
    ({"bbox": [0, 0, 1, 1], "segmentation": [[5, 6, 20, 6, 20, 18, 5, 18]]}, box_mask(5, 6, 20, 18)),
    ({"segmentation": {"size": [30, 40], "counts": [5 * 30 + 6, 12, 18 + 30, 24, 1200 - 5 * 30 - 6 - 12 - 48 - 24]}}, None),
]  # fmt: skip


@pytest.mark.parametrize(("crowd", "mask"), CROWDS, ids=["box", "polygon", "run lengths"])
def test_crowd_regions_of_coco_are_ignored_with_the_heads_in_them(photo, crowd, mask):
    annotations = [{"id": 1, "image_id": 1, "iscrowd": 1, **crowd}]
    heads = [(6, 8), (30, 20)]
    annotations += [{"id": 2 + n, "image_id": 1, "keypoints": [*xy, 2]} for n, xy in enumerate(heads)]
    images = [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}]
    photo.with_name("coco.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    (sample,) = Folder(photo.parent)
    read = sample.read_mask()
    if mask is None:
        mask = box_mask(5, 6, 6, 18)
        mask[6:, 7] = False  # 24 pixels from its row 6
    np.testing.assert_array_equal(read, mask)
    assert sample.points.xy.tolist() == [list(xy) for xy in heads if mask[xy[1], xy[0]]]


def test_shapes_of_cvat_with_is_crowd_are_ignored(photo):
    crowd = '<attribute name="is_crowd">true</attribute>'
    photo.with_name("cvat.xml").write_text(
        '<annotations><image id="0" name="a.png" width="40" height="30">'
        f'<box label="head" xtl="5" ytl="6" xbr="20" ybr="18">{crowd}</box>'
        f'<mask label="head" left="30" top="2" width="4" height="2" rle="1,5,2">{crowd}</mask>'
        '<points label="head" points="6,8;30,20"/></image></annotations>'
    )
    (sample,) = Folder(photo.parent)
    mask = box_mask(5, 6, 20, 18)
    mask[2, 31:34] = mask[3, 30:32] = False
    np.testing.assert_array_equal(sample.read_mask(), mask)
    assert sample.points.xy.tolist() == [[30, 20]]


def test_areas_of_json_are_read_scaled_and_checked(photo):
    file = photo.with_suffix(".json")
    file.write_text(
        json.dumps({"points": [[3, 4], [15, 12]], "photo_size": [20, 15], "ignore": [[1, 2, 10, 9]]})
    )
    (sample,) = Folder(photo.parent)
    np.testing.assert_array_equal(sample.read_mask(), box_mask(2, 4, 20, 18))
    assert sample.points.xy.tolist() == [[30.5, 24.5]]
    for wrong in ([[1, 2]], [[1, 2, 3]], [[5, 5, 5, 9]], [[[1, 2], [3, 4]]], [["a", 1, 2, 3]], "no"):
        file.write_text(json.dumps({"points": [], "ignore": wrong}))
        with pytest.raises(DataError):
            Folder(photo.parent)


@pytest.mark.parametrize("to", ["json", "coco"])
def test_areas_survive_a_conversion(photo, tmp_path, to):
    content = {
        "points": [[3, 4], [30, 12]],
        "ignore": [[25, 5, 40, 20], [[1, 20], [9, 20], [9, 29]]],
        "only": [[0, 0, 40, 25]],
    }
    photo.with_suffix(".json").write_text(json.dumps(content))
    samples, _ = open_source(str(photo.parent))
    out = tmp_path / "out"
    target = out if to == "json" else out / "coco.json"
    assert convert(samples, target, target_format(target, to), photos="copy").lost == ()
    (again,) = Folder(out)
    np.testing.assert_array_equal(again.read_mask(), samples[0].read_mask())
    assert again.points.xy.tolist() == [[3, 4]]
    lost = convert(samples, tmp_path / "points.csv", target_format(tmp_path / "points.csv", "table")).lost
    assert lost == ("Ignored areas of 1 photos are not carried by table.",)


def test_masks_follow_the_photo_when_it_is_resized_and_trimmed(photo, tmp_path):
    mask = np.zeros((60, 80), np.uint8)
    mask[:, :40] = 255
    Image.fromarray(mask).save(tmp_path / "roi.png")
    sample = Sample("a", photo, Points(np.array([[4.0, 5.0], [30.0, 5.0]])), mask=Mask(tmp_path / "roi.png"))
    np.testing.assert_array_equal(sample.read_mask(), ~box_mask(0, 0, 20, 30))
    assert sample.without_ignored().points.xy.tolist() == [[4, 5]]
    assert len(sample_truth(sample, Scoring())) == 1
    small = sample.resized((20, 15), SIZE).trimmed(0.1, (20, 15))
    assert small.read().shape[:2] == small.read_mask().shape == (11, 16)
    np.testing.assert_array_equal(small.read_mask(), ~box_mask(0, 0, 8, 11, (16, 11)))
    assert replace(sample, mask=None).read_mask() is None


def test_masks_and_ignored_heads_of_crowdhuman_are_ignored(tmp_path):
    (tmp_path / "Images").mkdir()
    Image.new("RGB", SIZE).save(tmp_path / "Images" / "x.jpg")
    boxes = [
        {"tag": "person", "hbox": [2, 3, 4, 4]},
        {"tag": "mask", "fbox": [20, 0, 20, 30], "hbox": [0, 0, 1, 1]},
        {"tag": "person", "hbox": [10, 10, 5, 5], "head_attr": {"ignore": 1}},
    ]
    (tmp_path / "annotation_train.odgt").write_text(json.dumps({"ID": "x", "gtboxes": boxes}))
    (sample,) = CrowdHuman(tmp_path)
    np.testing.assert_array_equal(sample.read_mask(), box_mask(20, 0, 40, 30) & box_mask(10, 10, 15, 15))
    (whole,) = CrowdHuman(tmp_path, ignored=True)
    assert whole.mask is None
