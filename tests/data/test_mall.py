"""Mall: pixels counted from 1, the mask and the perspective, the split at frame 800, damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from crowdscale.data.sets.mall import Mall
from crowdscale.errors import DataError, OptionError
from tests.support.fake_camera_sets import half_mask, write_mall
from tests.support.layouts import SIZE


def cells(*locations: object) -> dict[str, np.ndarray]:
    """What mall_gt.mat holds for frames whose loc are these very values."""
    frame = np.empty((1, len(locations)), dtype=object)
    for index, loc in enumerate(locations):
        frame[0, index] = {"loc": np.array(loc, dtype=float)}
    return {"frame": frame}


def test_items(tmp_path: Path) -> None:
    base = write_mall(tmp_path, [[(4.0, 5.0)], []])
    opened = Mall(tmp_path)
    assert len(opened) == 2
    assert opened[0].image_path == base / "frames" / "seq_000001.jpg"
    assert opened[0].attributes == {"set": "mall", "split": "train"}
    assert opened[0].read().shape == (SIZE[1], SIZE[0], 3)
    assert opened[0].mask is not None
    assert (opened[0].mask.read() == half_mask().astype(bool)).all()
    assert (opened.perspective == 2).all()
    assert len(Mall(base)) == 2, "the folder itself"


@pytest.mark.parametrize(
    ("loc", "points"),
    [
        ([[1, 1], [640, 480]], [[0, 0], [639, 479]]),
        ([[126.77, 60.7]], [[125.77, 59.7]]),
        (np.zeros((0, 2)), np.zeros((0, 2))),
        ([], np.zeros((0, 2))),
    ],
    ids=["corners of 640x480", "one person", "nobody, 0x2", "nobody, []"],
)
def test_loc_counts_from_1(tmp_path: Path, loc: object, points: object) -> None:
    base = write_mall(tmp_path, [[(9.0, 9.0)], []])
    savemat(base / "mall_gt.mat", cells(loc, [[3, 3]]))
    found = Mall(tmp_path)[0].points
    assert found is not None
    assert found.xy == pytest.approx(np.asarray(points, dtype=float))


def test_opening_decodes_no_photo(tmp_path: Path) -> None:
    (write_mall(tmp_path, [[(4.0, 5.0)]]) / "frames" / "seq_000001.jpg").write_bytes(b"no photo")
    assert len(Mall(tmp_path)) == 1


@pytest.mark.parametrize("lost", ["mall_gt.mat", "perspective_roi.mat", "frames/seq_000002.jpg"])
def test_a_missing_file_is_named(tmp_path: Path, lost: str) -> None:
    (write_mall(tmp_path, [[], []]) / lost).unlink()
    with pytest.raises(DataError, match=rf"expected {Path(lost).name} (or ground_truth\.mat )?in"):
        Mall(tmp_path)


def test_a_frame_without_annotation(tmp_path: Path) -> None:
    frames = write_mall(tmp_path, [[], []]) / "frames"
    shutil.copy(frames / "seq_000002.jpg", frames / "seq_000003.jpg")
    with pytest.raises(
        DataError, match=r"annotation of each frame in .*mall_gt\.mat, but got 2 for 3 frames"
    ):
        Mall(tmp_path)


@pytest.mark.parametrize(("frames", "train", "test"), [(1, 1, 0), (800, 800, 0), (803, 800, 3)])
def test_the_first_800_frames_are_for_training(tmp_path: Path, frames: int, train: int, test: int) -> None:
    base = write_mall(tmp_path, [[]] * frames)
    opened = Mall(base), Mall(base, "test")
    assert tuple(map(len, opened)) == (train, test)
    assert [sample.name for part in opened for sample in part] == [
        f"seq_{n:06}" for n in range(1, frames + 1)
    ]


def test_damage(tmp_path: Path) -> None:
    base = write_mall(tmp_path, [[(4.0, 5.0)], []])
    savemat(base / "mall_gt.mat", {"frame": np.arange(3.0)})
    with pytest.raises(DataError, match=r"frames with the field loc, but got others in .*mall_gt\.mat"):
        Mall(tmp_path)
    savemat(base / "mall_gt.mat", cells([[1, np.nan]], []))
    with pytest.raises(DataError, match=r"finite coordinates in .*mall_gt\.mat"):
        Mall(tmp_path)
    (base / "mall_gt.mat").write_bytes(b"no mat")
    with pytest.raises(DataError, match=r"the annotation of Mall, a \.mat file, but got .*mall_gt\.mat"):
        Mall(tmp_path)


def test_a_perspective_of_another_set(tmp_path: Path) -> None:
    base = write_mall(tmp_path, [[]])
    savemat(base / "perspective_roi.mat", {"dmap": 1})
    with pytest.raises(
        DataError, match=r"the perspective of Mall with the variable pMapN, but got .* holds dmap"
    ):
        _ = Mall(tmp_path).perspective
    mask = Mall(tmp_path)[0].mask
    assert mask is not None
    with pytest.raises(DataError, match=r"expected a mask .*perspective_roi\.mat"):
        mask.read()


def test_a_wrong_root_shows_the_tree(tmp_path: Path) -> None:
    with pytest.raises(
        DataError,
        match=r"expected mall_gt\.mat or ground_truth\.mat in .* an empty folder\. The set unpacks to:\nmall_",
    ):
        Mall(tmp_path)
    with pytest.raises(OptionError, match="out of train, test, but got 'val'"):
        Mall(tmp_path, "val")
