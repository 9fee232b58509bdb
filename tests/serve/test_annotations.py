"""Heads saved from the page in every format: by Python in the service, by JavaScript on the static site, alike."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat

from crowdscale.data import Folder
from crowdscale.data.conversion import WRITTEN
from crowdscale.errors import CrowdscaleError
from crowdscale.points import Points
from crowdscale.serve.page import find_page
from tests.support.layouts import SIZE, write_photo

annotating = pytest.importorskip("crowdscale.serve.annotating", reason="the extra [serve] is not installed")

NODE = shutil.which("node")
XY = [[10.25, 20.5], [40.0, 30.0], [0.0, 0.125], [60.333, 7.07]]
PHOTOS = [
    {"name": "images/IMG_1.jpg", "size": SIZE, "heads": XY},
    {"name": 'images/b, "<é>&.jpg', "size": SIZE, "heads": []},
]
BOX = 8.0
MOST = 10**7
ONE_FILE = {name for name, to in WRITTEN.items() if to.one_file}
NEED_BOXES = {name for name, to in WRITTEN.items() if not to.points}


def by_python(name: str, photos: list[dict[str, Any]], box: float) -> tuple[str, bytes]:
    return annotating.heads_file(json.dumps({"photos": photos}).encode(), WRITTEN[name], box, MOST)


@pytest.fixture(scope="module")
def by_page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, bytes]]:
    """Return what the page's writers give, by format and by one photo or all."""
    if NODE is None:
        pytest.skip("Node is not installed")
    folder = tmp_path_factory.mktemp("page")
    (folder / "job.json").write_text(json.dumps({"photos": PHOTOS, "box": BOX}))
    script = Path(__file__).with_name("annotations.mjs")
    command = [NODE, str(script), str(find_page()), str(folder / "job.json"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert set(answer["boxes"]) == NEED_BOXES
    return {key: (name, (folder / key / name).read_bytes()) for key, name in answer["made"].items()}


def unpacked(name: str, content: bytes) -> dict[str, bytes]:
    if not name.endswith(".zip"):
        return {name: content}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {each: archive.read(each) for each in archive.namelist()}


def contents(path: str, data: bytes) -> Any:
    """Return what a file says, apart from how it is spelled."""
    if path.endswith(".json"):
        return json.loads(data)
    if path.endswith(".mat"):
        return data[128:]  # behind a header with the time
    if path.endswith(".npy"):
        return np.load(io.BytesIO(data)).round(6).tolist()
    if path.endswith(".tif"):
        with Image.open(io.BytesIO(data)) as image:
            assert image.tag_v2[270] == "crowdscale picture"
            return np.asarray(image).round(6).tolist()
    return data.decode()


def approx(value: Any) -> Any:
    """Return a value to compare with, its numbers up to the order of a sum."""
    if isinstance(value, dict):
        return {key: approx(each) for key, each in value.items()}
    if isinstance(value, list):
        return [approx(each) for each in value]
    return pytest.approx(value, rel=1e-12) if isinstance(value, float) else value


def test_the_page_offers_every_format(by_page):
    assert {key.split("/")[0] for key in by_page} == set(WRITTEN)


@pytest.mark.parametrize("kind", ["one", "all"])
@pytest.mark.parametrize("name", WRITTEN)
def test_the_page_writes_what_python_writes(name, kind, by_page):
    photos = PHOTOS[:1] if kind == "one" else PHOTOS
    known_name, known = by_python(name, photos, BOX if name in NEED_BOXES else 0)
    made_name, made = by_page[f"{name}/{kind}"]
    assert made_name == known_name
    expected, found = unpacked(known_name, known), unpacked(made_name, made)
    assert found.keys() == expected.keys()
    for path, content in expected.items():
        said = contents(path, found[path])
        if path.endswith((".npy", ".tif")):
            assert np.allclose(said, contents(path, content), atol=2e-6)
        else:
            assert said == approx(contents(path, content))


@pytest.mark.parametrize("name", sorted(set(WRITTEN) - {"density-npy", "density-tif"}))
def test_python_reads_what_the_page_wrote(name, by_page, tmp_path):
    for path, content in unpacked(*by_page[f"{name}/all"]).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    for photo in PHOTOS:
        write_photo(tmp_path / photo["name"])
    read = {sample.name: sample.points for sample in Folder(tmp_path)}
    assert len(read) == len(PHOTOS)
    assert np.allclose(read["images/IMG_1"].xy, XY, atol=1e-6)
    assert all(points == Points() for key, points in read.items() if key != "images/IMG_1")


def test_matlab_finds_shanghaitechs_fields(by_page):
    truth = loadmat(io.BytesIO(by_page["mat/one"][1]))["image_info"][0, 0][0, 0]
    assert truth[0].tolist() == XY
    assert int(truth[1][0, 0]) == len(XY)


@pytest.mark.parametrize(
    ("photos", "word"),
    [
        pytest.param([], "none", id="nothing"),
        pytest.param([PHOTOS[0], PHOTOS[0]], "the name images/IMG_1.jpg", id="twice"),
        pytest.param([{**PHOTOS[0], "name": "../a.jpg"}], "name", id="above"),
        pytest.param([{**PHOTOS[0], "size": [10**6, 10**6]}], "size", id="huge"),
        pytest.param([{**PHOTOS[0], "heads": [[1]]}], "heads", id="half-a-head"),
        pytest.param([{**PHOTOS[0], "heads": [[900, 1]]}], "outside", id="head-outside"),
    ],
)
def test_bad_requests_are_a_sentence(photos, word):
    with pytest.raises(CrowdscaleError, match=word):
        by_python("density-npy", photos, 0)


def test_the_service_hands_out_a_file(client):
    answer = client.post("/annotations?format=yolo&box=8", json={"photos": PHOTOS})
    assert "filename*=UTF-8''heads_yolo.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.read("images/IMG_1.txt").count(b"\n") == len(XY)
    assert client.post("/annotations?format=yolo", json={"photos": PHOTOS}).status_code == 400
    assert client.post("/annotations?format=word", json={"photos": PHOTOS}).status_code == 400
