"""Damaged files of each format: a clear sentence or a sound answer, never another exception."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdscale.data import Folder, read_list
from crowdscale.errors import CrowdscaleError, ImageError, ModelError
from crowdscale.files.images import read_image
from crowdscale.metrics import read_entries
from crowdscale.models.description import ModelConfig
from crowdscale.models.download import read_index
from crowdscale.zones.files import read_zones
from tests.hostile.damage import FUZZ, damaged_bytes, damaged_text
from tests.hostile.media import PICTURES, odd_exif, with_checksums, with_exif
from tests.hostile.seeds import BINARY, DESCRIPTION, INDEX, POINT_FILES, TEXTS, ZONES
from tests.support.layouts import write_photo


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile")
    write_photo(root / "a.jpg")
    return root


def read_folder(root: Path) -> None:
    with suppress(CrowdscaleError):
        for sample in Folder(root, unlabelled="skip", outside="keep", classes=("all",)).samples:
            assert sample.points is not None
            assert np.isfinite(sample.points.xy).all()
            assert sample.sizes is None or (sample.sizes > 0).all()


def read_zone_file(path: Path) -> None:
    with suppress(CrowdscaleError):
        for zone in read_zones(path).zones:
            assert zone.shape((640, 480)).area >= 0


def read_point_file(path: Path) -> None:
    with suppress(CrowdscaleError):
        assert all(0 <= entry.count < 1e10 for entry in read_entries(path).values())


def read_list_file(path: Path) -> None:
    with suppress(CrowdscaleError):
        assert isinstance(read_list(path), list)


def read_index_text(text: str) -> None:
    with suppress(CrowdscaleError):
        assert len(read_index(text, "lite", "index.json").sha256) == 64


def read_description(text: str) -> None:
    with suppress(CrowdscaleError):
        assert isinstance(ModelConfig.from_json(text).stride, int)


def try_file(path: Path, content: bytes, read: Callable[[], None]) -> None:
    """Write a file, read it and remove it."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    try:
        read()
    finally:
        path.unlink()


@pytest.mark.parametrize("name", TEXTS)
@FUZZ
@given(data=st.data())
def test_annotations(folder: Path, name: str, data: st.DataObject) -> None:
    file, seed = TEXTS[name]
    try_file(folder / file, data.draw(damaged_text(seed)), lambda: read_folder(folder))


@pytest.mark.parametrize("name", sorted(TEXTS.keys() - {"data.yaml", "cvat-tracks"}))
def test_the_seeds_are_sound(folder: Path, name: str) -> None:
    file, seed = TEXTS[name]
    (folder / file).write_text(seed)
    try:
        assert len(Folder(folder, "skip", "keep", classes=("all",))[0].points or ()) > 0
    finally:
        (folder / file).unlink()


@pytest.mark.parametrize("name", BINARY)
@FUZZ
@given(data=st.data())
def test_matlab_files(folder: Path, name: str, data: st.DataObject) -> None:
    """Some of these files end the process in SciPy."""
    file, seed = BINARY[name]
    try_file(folder / file, data.draw(damaged_bytes(seed)), lambda: read_folder(folder))


def read_picture(data: bytes) -> None:
    with suppress(ImageError):
        photo = read_image(data)
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.shape == (*photo.size[::-1], 3)


@pytest.mark.parametrize("name", PICTURES)
@FUZZ
@given(data=st.data())
def test_pictures(name: str, data: st.DataObject) -> None:
    read_picture(data.draw(damaged_bytes(PICTURES[name])))


@pytest.mark.parametrize("name", ["jpeg", "png"])
def test_odd_exif_costs_at_most_the_turn(name: str) -> None:
    for seed in range(60):
        photo = read_image(with_checksums(with_exif(PICTURES[name], odd_exif(random.Random(seed)))))
        assert sorted(photo.size) == [24, 32]


@pytest.mark.parametrize("name", PICTURES)
def test_the_seeds_of_pictures_are_sound(name: str) -> None:
    assert sorted(read_image(PICTURES[name]).size) == ([48, 64] if name.endswith("heic") else [24, 32])


@pytest.mark.parametrize("name", ZONES)
@FUZZ
@given(data=st.data())
def test_zones(folder: Path, name: str, data: st.DataObject) -> None:
    file, seed = ZONES[name]
    path = folder / "zones" / file
    try_file(path, data.draw(damaged_text(seed)), lambda: read_zone_file(path))


@pytest.mark.parametrize("name", POINT_FILES)
@FUZZ
@given(data=st.data())
def test_point_files(folder: Path, name: str, data: st.DataObject) -> None:
    file, seed = POINT_FILES[name]
    path = folder / "points" / file
    try_file(path, data.draw(damaged_text(seed)), lambda: read_point_file(path))


@FUZZ
@given(data=st.data())
def test_lists(folder: Path, data: st.DataObject) -> None:
    path = folder / "lists" / "list.txt"
    content = data.draw(damaged_text("sha/IMG_1\nfolder/a  # comment\n"))
    try_file(path, content, lambda: read_list_file(path))


@FUZZ
@given(data=st.data())
def test_indexes_of_models(data: st.DataObject) -> None:
    read_index_text(data.draw(damaged_text(INDEX)).decode("utf-8", "replace"))


@FUZZ
@given(data=st.data())
def test_descriptions_of_models(data: st.DataObject) -> None:
    read_description(data.draw(damaged_text(DESCRIPTION)).decode("utf-8", "replace"))


def test_the_seeds_of_models_are_sound() -> None:
    assert read_index(INDEX, "lite", "index.json").url.endswith("lite.crowdscale")
    assert ModelConfig.from_json(DESCRIPTION).name == "lite"


@pytest.mark.parametrize(
    ("field", "value"), [("stride", "32"), ("widths", [1, "x"]), ("mean", [0.5]), ("zoom", {"context": 1.5})]
)
def test_a_value_of_another_type_is_named(field: str, value: object) -> None:
    with pytest.raises(ModelError, match=rf"{field}: Expected"):
        ModelConfig.from_json(json.dumps({**json.loads(DESCRIPTION), field: value}))


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (("zoom", "max_pixels"), 10**11, "zoom.max_pixels: expected a number from 0 to 4e"),
        (("familiar", "limits", "glare"), {}, "familiar: Expected"),
        (("familiar", "channels"), 7, "profile: expected"),
        (("familiar", "cloud"), "AAAA", "profile.cloud: expected"),
        (("familiar", "upright"), "?", "profile.upright: expected"),
        (("calibration", "quantiles"), [1.0], "calibration: expected ascending levels"),
        (("files", "../x"), "0", "files: expected plain names"),
        (("mean",), [0.5, 0.5, 2], "mean: expected a number from 0 to 1"),
        (("stride",), 0, "stride: expected a number from 1 to 256"),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_named(place: tuple[str, ...], value: object, sentence: str) -> None:
    content = json.loads(DESCRIPTION)
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(ModelError, match=re.escape(sentence)):
        ModelConfig.from_json(json.dumps(content))
