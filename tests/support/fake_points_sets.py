"""Generators of fake UCF-QNRF, UCF_CC_50, JHU-Crowd++ and NWPU-Crowd in their true layouts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.io import savemat

from tests.support.layouts import XY, write_photo


def write_points_mat(path: Path, xy: XY, **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"annPoints": np.array(xy, dtype=np.float64).reshape(-1, 2), **more})
    return path


def write_qnrf(root: Path, photos: Mapping[int, XY], split: str = "Train") -> Path:
    base = root / "UCF-QNRF_ECCV18" / split
    for number, xy in photos.items():
        write_photo(base / f"img_{number:04}.jpg")
        write_points_mat(base / f"img_{number:04}_ann.mat", xy)
    return base


def write_cc50(root: Path, missing: Sequence[int] = ()) -> Path:
    base = root / "UCF_CC_50"
    for number in range(1, 51):
        if number not in missing:
            write_photo(base / f"{number}.jpg")
            write_points_mat(base / f"{number}_ann.mat", [(k, k) for k in range(number % 7)])
    return base


def write_jhu(
    root: Path, photos: Mapping[str, tuple[Sequence[Sequence[float]], str]], split: str = "train"
) -> Path:
    """Each photo has its heads (x y w h o b) and what follows its name in image_labels.txt."""
    base = root / "jhu_crowd_v2.0" / split
    (base / "gt").mkdir(parents=True)
    lines = []
    for name, (heads, label) in photos.items():
        write_photo(base / "images" / f"{name}.jpg")
        (base / "gt" / f"{name}.txt").write_text(
            "".join(" ".join(f"{v:g}" for v in head) + "\n" for head in heads)
        )
        lines.append(f"{name},{len(heads)},{label}\n")
    (base / "image_labels.txt").write_text("".join(lines))
    return base


def write_nwpu(
    root: Path,
    split: str,
    photos: Mapping[str, tuple[XY, Sequence[Sequence[float]] | None, str]],
    kind: str = "json",
) -> Path:
    """Each photo has its points, its boxes (left top right bottom) or None, and its words in the list."""
    base = root / "NWPU-Crowd"
    for index, (name, (xy, boxes, _)) in enumerate(photos.items()):
        write_photo(base / f"images_part{index % 5 + 1}" / f"{name}.jpg")
        if split == "test":
            continue
        if kind == "json":
            (base / "jsons").mkdir(exist_ok=True)
            content = {"img_id": f"{name}.jpg", "human_num": len(xy), "points": xy, "boxes": boxes}
            (base / "jsons" / f"{name}.json").write_text(json.dumps(content))
        else:
            more = {} if boxes is None else {"annBoxes": np.array(boxes, float).reshape(-1, 4)}
            write_points_mat(base / "mats" / f"{name}.mat", xy, **more)
    (base / f"{split}.txt").write_text("".join(f"{name} {words}\n" for name, (_, _, words) in photos.items()))
    return base
