"""Labels of photos at another size or as they are stored: scaled, turned, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from crowdscale.data import Folder
from crowdscale.data.fitting import fit_label
from crowdscale.data.formats.label import Label
from crowdscale.errors import DataError
from crowdscale.points import Points
from tests.support.layouts import write_photo

STORED = (64, 48)


def mirrored_pixel(xy: tuple[int, int], orientation: int) -> list[float]:
    """Return the place of a white pixel after Pillow turns a photo upright."""
    pixels = np.zeros((STORED[1], STORED[0]), np.uint8)
    pixels[xy[1], xy[0]] = 255
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    row, column = np.argwhere(np.asarray(ImageOps.exif_transpose(image)))[0]
    return [float(column), float(row)]


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_points_of_the_stored_photo_are_turned_as_pillow_turns_it(tmp_path: Path, orientation: int) -> None:
    photo = write_photo(tmp_path / "a.jpg", STORED, orientation)
    label, note = fit_label(Label(Points([[10, 20]]), np.array([[4.0, 6.0]]), STORED), photo, "coco.json")
    assert label.points.xy.tolist() == [mirrored_pixel((10, 20), orientation)]
    assert label.sizes is not None
    assert label.sizes.tolist() == [[6, 4]]
    assert label.size == (48, 64)
    assert note is not None
    assert "before its EXIF turns it" in note


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_points_of_the_upright_photo_stay(tmp_path: Path, orientation: int) -> None:
    photo = write_photo(tmp_path / "a.jpg", STORED, orientation)
    upright = STORED if orientation < 5 else STORED[::-1]
    label, note = fit_label(Label(Points([[10, 20]]), None, (upright[0], upright[1])), photo, "coco.json")
    assert (label.points.xy.tolist(), note) == ([[10, 20]], None)


def test_a_stored_photo_at_twice_the_size_is_scaled_and_turned(tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "a.jpg", STORED, 6)
    label, _ = fit_label(Label(Points([[20.5, 40.5]]), None, (128, 96)), photo, "coco.json")
    assert label.points.xy.tolist() == [mirrored_pixel((10, 20), 6)]


@pytest.mark.parametrize(
    ("size", "factor"), [((128, 96), 0.5), ((32, 24), 2), ((129, 97), 0.496), ((65, 48), 1)]
)
def test_the_same_ratio_is_scaled(tmp_path: Path, size: tuple[int, int], factor: float) -> None:
    photo = write_photo(tmp_path / "a.jpg", STORED)
    label, note = fit_label(Label(Points([[7.5, 7.5]]), None, size), photo, "coco.json")
    assert label.points.xy[0] == pytest.approx([8 * factor - 0.5] * 2, abs=0.15)
    assert note is not None
    assert f"{size[0]}×{size[1]}" in note


@pytest.mark.parametrize("size", [(128, 128), (48, 64), (100, 48)])
def test_another_ratio_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    photo = write_photo(tmp_path / "a.jpg", STORED)
    with pytest.raises(
        DataError, match=rf"all\.json is for a photo of {size[0]}×{size[1]}, but a\.jpg has 64×48"
    ):
        fit_label(Label(Points([[7.5, 7.5]]), None, size), photo, "all.json")


VOC = (
    "<annotation><size><width>{w}</width><height>{h}</height></size><object><name>head</name><bndbox>"
    "<xmin>20</xmin><ymin>20</ymin><xmax>40</xmax><ymax>40</ymax></bndbox></object></annotation>"
)
CVAT = '<annotations><image name="a.jpg" width="{w}" height="{h}"><box label="h" xtl="20" ytl="20" xbr="40" ybr="40"/></image></annotations>'
LABELME = '{{"shapes": [{{"label": "h", "shape_type": "rectangle", "points": [[20, 20], [40, 40]]}}], "imageWidth": {w}, "imageHeight": {h}}}'
SUPERVISELY = (
    '{{"size": {{"width": {w}, "height": {h}}}, "objects": [{{"classTitle": "h", "geometryType": "rectangle", '
    '"points": {{"exterior": [[20, 20], [39, 39]]}}}}]}}'
)
ROBOFLOW = "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,{w},{h},head,20,20,40,40\n"
MAKESENSE = "head,20,20,20,20,a.jpg,{w},{h}\n"
COCO = json.dumps(
    {"images": [{"id": 1, "file_name": "a.jpg", "width": 0, "height": 1}],
     "annotations": [{"id": 1, "image_id": 1, "bbox": [20, 20, 20, 20]}]}
).replace("{", "{{").replace("}", "}}").replace('"width": 0, "height": 1', '"width": {w}, "height": {h}')  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.xml", VOC), ("all.xml", CVAT), ("a.json", LABELME), ("a.jpg.json", SUPERVISELY),
     ("_annotations.csv", ROBOFLOW), ("labels.csv", MAKESENSE), ("all.json", COCO)],
    ids=["voc", "cvat", "labelme", "supervisely", "roboflow", "makesense", "coco"],
)  # fmt: skip
def test_every_format_with_a_size_is_fitted(tmp_path: Path, name: str, text: str) -> None:
    write_photo(tmp_path / "a.jpg", STORED)
    for size, heads in (((64, 48), [29.5, 29.5]), ((128, 96), [14.5, 14.5])):
        (tmp_path / name).write_text(text.format(w=size[0], h=size[1]))
        folder = Folder(tmp_path)
        assert folder[0].points == Points([heads])
        assert bool(folder.notes) == (size != STORED)
    (tmp_path / name).write_text(text.format(w=64, h=64))
    with pytest.raises(DataError, match="is for a photo of 64×64"):
        Folder(tmp_path)
