"""Generators of fake TRANCOS, Mall, UCSD, SCUT-HEAD, CrowdHuman, VisDrone-CC and FDST in their true layouts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from tests.support.layouts import SIZE, XY, write_photo

Boxes = Sequence[Sequence[float]]


def half_mask() -> np.ndarray:
    """The left half of a fake photo."""
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    mask[:, : SIZE[0] // 2] = 1
    return mask


def write_trancos(root: Path, photos: Mapping[str, XY], split: str = "training", dots: bool = False) -> Path:
    """Points are given from 0; the text files count from 1."""
    base = root / "TRANCOS_v3"
    (base / "image_sets").mkdir(parents=True)
    (base / "image_sets" / f"{split}.txt").write_text("".join(f"{name}.jpg\n" for name in photos))
    for name, xy in photos.items():
        write_photo(base / "images" / f"{name}.jpg")
        savemat(base / "images" / f"{name}mask.mat", {"BW": half_mask()})
        if dots:
            pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
            for x, y in xy:
                pixels[int(y), int(x)] = (255, 0, 0)
            Image.fromarray(pixels).save(base / "images" / f"{name}dots.png")
        else:
            text = "".join(f"{x + 1:g}\t{y + 1:g}\n" for x, y in xy)
            (base / "images" / f"{name}.txt").write_text(text)
    return base


def frame_structs(frames: Sequence[XY]) -> np.ndarray:
    """A 1×n cell of structs with the field loc, counted from 1."""
    cells = np.empty((1, len(frames)), dtype=object)
    for index, xy in enumerate(frames):
        cells[0, index] = {"loc": np.array(xy, float).reshape(-1, 2) + 1}
    return cells


def write_mall(root: Path, frames: Sequence[XY]) -> Path:
    base = root / "mall_dataset"
    for index in range(len(frames)):
        write_photo(base / "frames" / f"seq_{index + 1:06}.jpg")
    savemat(
        base / "mall_gt.mat", {"frame": frame_structs(frames), "count": np.array([[len(f)] for f in frames])}
    )
    savemat(
        base / "perspective_roi.mat",
        {"roi": {"mask": half_mask()}, "pMapN": np.full((SIZE[1], SIZE[0]), 2.0)},
    )
    return base


def write_ucsd(root: Path, clips: Sequence[Sequence[XY]]) -> Path:
    """Ten clips, each with its frames."""
    films, truths = root / "ucsdpeds" / "vidf", root / "vidf-cvpr"
    truths.mkdir(parents=True)
    for clip, frames in enumerate(clips):
        name = f"vidf1_33_{clip:03}"
        for index in range(len(frames)):
            path = films / f"{name}.y" / f"{name}_f{index + 1:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros((SIZE[1], SIZE[0]), np.uint8)).save(path)
        savemat(truths / f"{name}_frame_full.mat", {"frame": frame_structs(frames)})
    savemat(truths / "vidf1_33_roi_mainwalkway.mat", {"roi": {"mask": half_mask()}})
    savemat(truths / "vidf1_33_dmap3.mat", {"dmap": {"pmapxy": np.full((SIZE[1], SIZE[0]), 3.0)}})
    return truths


def voc_text(boxes: Boxes) -> str:
    """Boxes are left, top, right, bottom."""
    objects = "".join(
        f"<object><name>person</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax>"
        "</bndbox></object>"
        for a, b, c, d in boxes
    )
    return f"<annotation>{objects}</annotation>"


def write_scuthead(root: Path, photos: Mapping[str, Boxes], part: str = "A", split: str = "train") -> Path:
    base = root / f"SCUT_HEAD_Part_{part}"
    for folder in ("Annotations", "ImageSets/Main"):
        (base / folder).mkdir(parents=True)
    (base / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{name}\n" for name in photos))
    for name, boxes in photos.items():
        write_photo(base / "JPEGImages" / f"{name}.jpg")
        (base / "Annotations" / f"{name}.xml").write_text(voc_text(boxes))
    return base


def write_crowdhuman(
    root: Path, photos: Mapping[str, Sequence[Mapping[str, object]]], split: str = "train"
) -> Path:
    base = root / "CrowdHuman"
    lines = []
    for name, boxes in photos.items():
        write_photo(base / "Images" / f"{name}.jpg")
        lines.append(json.dumps({"ID": name, "gtboxes": boxes}) + "\n")
    (base / f"annotation_{split}.odgt").write_text("".join(lines))
    return base


def write_visdrone(root: Path, sequences: Mapping[str, Mapping[int, XY]], split: str = "train") -> Path:
    base = root / "VisDrone2020-CC"
    (base / "annotations").mkdir(parents=True)
    (base / f"{split}list.txt").write_text("".join(f"{name}\n" for name in sequences))
    for name, frames in sequences.items():
        lines = []
        for frame, xy in frames.items():
            write_photo(base / "sequences" / name / f"{frame:05}.jpg")
            lines += [f"{frame},{x:g},{y:g}\n" for x, y in xy]
        (base / "annotations" / f"{name}.txt").write_text("".join(lines))
    return base


def write_fdst(root: Path, frames: Mapping[str, Boxes], split: str = "train") -> Path:
    """Boxes are left, top, width, height; names are scene/frame."""
    base = root / "FDST" / f"{split}_data"
    for name, boxes in frames.items():
        write_photo(base / f"{name}.jpg")
        regions = [
            {"shape_attributes": {"name": "rect", "x": x, "y": y, "width": w, "height": h}}
            for x, y, w, h in boxes
        ]
        file = f"{name.rpartition('/')[2]}.jpg"
        about = {"filename": file, "size": 1234, "regions": regions, "file_attributes": {}}
        content = {f"{file}1234": about}
        (base / f"{name}.json").write_text(json.dumps(content))
    return base
