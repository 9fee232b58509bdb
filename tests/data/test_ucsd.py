"""UCSD: ten clips of 200 frames in one row, pixels counted from 1, the mask and the perspective, damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from crowdscale.data.sets.ucsd import UCSD
from crowdscale.errors import DataError, OptionError
from crowdscale.points import Points
from tests.support.fake_camera_sets import half_mask, write_ucsd

CLIP_4 = "vidf-cvpr/vidf1_33_003_frame_full.mat"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole fake set, not to be changed: person i of a frame stands at (i, clip)."""
    root = tmp_path_factory.mktemp("ucsd")
    write_ucsd(
        root,
        [[[(float(i), float(clip)) for i in range(frame % 3)] for frame in range(200)] for clip in range(10)],
    )
    return root


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """A set to damage."""
    return Path(shutil.copytree(whole, tmp_path / "set"))


def structs(locations: list[object], as_cell: bool = True) -> dict[str, np.ndarray]:
    """``frame`` of a clip as a cell of structs, or as one array of structs."""
    values = [np.array(loc, dtype=float) for loc in locations]
    if as_cell:
        frame = np.empty((1, len(values)), dtype=object)
        for index, value in enumerate(values):
            frame[0, index] = {"loc": value}
    else:
        frame = np.empty((1, len(values)), dtype=[("loc", object)])
        for index, value in enumerate(values):
            frame[0, index]["loc"] = value
    return {"frame": frame}


def test_frames_601_to_1400_are_for_training(whole: Path) -> None:
    train, test = UCSD(whole), UCSD(whole, "test")
    clips = [f"vidf1_33_{clip:03}_f{frame:03}" for clip in range(10) for frame in range(1, 201)]
    assert [sample.name for sample in train] == clips[600:1400]
    assert [sample.name for sample in test] == clips[:600] + clips[1400:]


def test_items(whole: Path) -> None:
    nobody, one, two = UCSD(whole).samples[:3]
    assert nobody.points == Points()
    assert one.points == Points([[0, 3]])
    assert two.points == Points([[0, 3], [1, 3]])
    assert one.image_path == whole / "ucsdpeds" / "vidf" / "vidf1_33_003.y" / "vidf1_33_003_f002.png"
    assert one.attributes == {"set": "ucsd", "split": "train"}
    assert one.read().shape == (48, 64, 3), "a grey frame is read as RGB"
    assert one.mask is not None
    assert (one.mask.read() == half_mask().astype(bool)).all()
    assert (UCSD(whole).perspective == 3).all()


@pytest.mark.parametrize("as_cell", [True, False], ids=["cell of structs", "array of structs"])
def test_loc_counts_from_1_and_may_have_a_third_column(copy: Path, as_cell: bool) -> None:
    savemat(copy / CLIP_4, structs([[[1, 1, 7], [238, 158, 8]], [[5, 6, 9]], *[[]] * 198], as_cell))
    opened = UCSD(copy)
    assert [s.points for s in opened.samples[:3]] == [
        Points([[0, 0], [237, 157]]),
        Points([[4, 5]]),
        Points(),
    ]


def test_opening_decodes_no_photo(copy: Path) -> None:
    (copy / "ucsdpeds/vidf/vidf1_33_003.y/vidf1_33_003_f001.png").write_bytes(b"no photo")
    assert len(UCSD(copy)) == 800


def test_annotations_beside_the_frames(copy: Path) -> None:
    for path in (copy / "vidf-cvpr").iterdir():
        path.rename(copy / "ucsdpeds" / path.name)
    (copy / "vidf-cvpr").rmdir()
    assert len(UCSD(copy)) == 800


@pytest.mark.parametrize(
    ("lost", "sentence"),
    [
        ("ucsdpeds/vidf/vidf1_33_009.y/vidf1_33_009_f200.png", r"expected vidf1_33_009_f200\.png in"),
        (CLIP_4, r"expected vidf1_33_003_frame_full\.mat in .*vidf-cvpr, but got no such file"),
        (
            "vidf-cvpr/vidf1_33_roi_mainwalkway.mat",
            r"(?s)expected vidf1_33_roi_mainwalkway\.mat in .* unpacks to:",
        ),
    ],
    ids=["frame", "annotation", "mask"],
)
def test_a_missing_file_is_named(copy: Path, lost: str, sentence: str) -> None:
    (copy / lost).unlink()
    with pytest.raises(DataError, match=sentence):
        UCSD(copy)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"fgt": 1}, r"the variable frame, but got .*003_frame_full\.mat, which holds fgt"),
        ({"frame": np.arange(200.0)}, r"the field loc, but got others in .*003_frame_full\.mat"),
        (structs([[[1, 1]]] * 199), r"expected 200 frames in .*003_frame_full\.mat, but got 199"),
        (structs([[[1, np.inf]]] * 200), r"finite coordinates in .*003_frame_full\.mat"),
    ],
    ids=["another set", "no structs", "a frame short", "infinite"],
)
def test_damage(copy: Path, content: dict[str, np.ndarray], sentence: str) -> None:
    savemat(copy / CLIP_4, content)
    with pytest.raises(DataError, match=sentence):
        UCSD(copy)


def test_a_perspective_of_another_kind(copy: Path) -> None:
    savemat(copy / "vidf-cvpr" / "vidf1_33_dmap3.mat", {"dmap": 1.0})
    with pytest.raises(DataError, match=r"the field pmapxy, but got another in .*dmap3\.mat"):
        _ = UCSD(copy).perspective


def test_a_wrong_root_shows_the_tree(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"expected vidf1_33_000\.y in .* an empty folder\. The set unpacks to:\nucsd"
    ):
        UCSD(tmp_path)
    with pytest.raises(OptionError, match="out of train, test, but got 'val'"):
        UCSD(tmp_path, "val")
