"""Running the cases: an input is copied, its photos are drawn, and the answer is compared with the right one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from crowdscale.data.check import check_dataset
from crowdscale.data.conversion import open_source
from crowdscale.errors import CrowdscaleError
from crowdscale.metrics import Scoring, placement_hint, read_entries
from crowdscale.metrics.thresholds import BoxRadius
from crowdscale.zones.files import read_zones
from tests.cases.media import MEDIA
from tests.cases.rows import Answer, Row
from tests.support.layouts import write_photo

__all__ = ["MORE", "check_answer", "convert_answer", "is_right", "lay_out"]

INPUTS = Path(__file__).parent / "inputs"


def lay_out(row: Row, folder: Path) -> str:
    """Copy the input into a folder, draw its photos and return the source for the command."""
    root = folder / row.name
    shutil.copytree(INPUTS / row.name, root)
    for photo in row.photos:
        write_photo(root / photo, (400, 300))
    return row.source.format(root=root)


def convert_answer(row: Row, source: str) -> str:
    """Return what ``data convert`` reads: heads a sample and notes, or the refusal."""
    try:
        samples, notes = open_source(source, classes=row.classes)
    except CrowdscaleError as error:
        return str(error)
    texts = [f"{s.name}: {np.round(s.points.xy, 2).tolist()}" for s in samples if s.points is not None]
    return "; ".join([*texts, *notes])


def check_answer(row: Row, source: str) -> str:
    """Return the sentences of ``data check``."""
    report = check_dataset(source, classes=row.classes)
    return "; ".join(problem.sentence for problem in report.problems if problem.kind != "double")


def is_right(row: Row, source: str) -> bool:
    """Whether what is read is the right answer."""
    if isinstance(row.right, Answer):
        return row.right.sentence in convert_answer(row, source)
    try:
        samples, notes = open_source(source, classes=row.classes)
    except CrowdscaleError:
        return False
    heads = {s.name: np.zeros((0, 2)) if s.points is None else s.points.xy for s in samples}
    same = heads.keys() == row.right.keys() and all(
        heads[name].shape == np.reshape(xy, (-1, 2)).shape and np.allclose(heads[name], np.reshape(xy, (-1, 2)), atol=0.02)
        for name, xy in row.right.items()
    )  # fmt: skip
    return same and row.note in "; ".join(notes)


def _zones(name: str) -> str:
    try:
        zones = read_zones(INPUTS / "zones" / name)
    except CrowdscaleError as error:
        return str(error)
    return "; ".join(f"{z.name} {z.kind} {np.round(z.points, 2).tolist()}" for z in zones.zones)


def _hint() -> str:
    truth, halved = (read_entries(INPUTS / "scores" / name) for name in ("gt.txt", "half.txt"))
    pairs = [(halved[name].points, truth[name].as_truth(name)) for name in truth]
    found = [(points, each) for points, each in pairs if points is not None]
    return placement_hint(found, Scoring((BoxRadius("small"), BoxRadius("large"))).thresholds) or ""


MORE: dict[str, tuple[Callable[[], str], str]] = {
    "zones/relative_forgotten.json": (lambda: _zones("relative_forgotten.json"), "within one pixel"),
    "zones/keyhole.json": (lambda: _zones("keyhole.json"), "square without the screen area"),
    "zones/hole.json": (lambda: _zones("hole.json"), "ring area"),
    "zones/exclude.json": (lambda: _zones("exclude.json"), "screen area"),
    "zones/cvat_rotated_box.xml": (
        lambda: _zones("cvat_rotated_box.xml"), "[[320.0, 20.0], [320.0, 420.0], [280.0, 420.0], [280.0, 20.0]]",
    ),
    "zones/cvat_zone.xml": (lambda: _zones("cvat_zone.xml"), "[[22.93, 8.79], [51.21, 37.07]"),
    "zones/ls_rect_zone.json": (
        lambda: _zones("ls_rect_zone.json"), "entrance area [[0.1, 0.1], [0.6, 0.1], [0.6, 0.6], [0.1, 0.6]]",
    ),
    "zones/ls_poly_nolabel.json": (lambda: _zones("ls_poly_nolabel.json"), "[[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]"),
    "zones/labelme_polygons.json": (lambda: _zones("labelme_polygons.json"), "entrance area"),
    "zones/via_polygons.json": (lambda: _zones("via_polygons.json"), "[[10.0, 10.0], [300.0, 10.0]"),
    "zones/coco_polygons.json": (lambda: _zones("coco_polygons.json"), "entrance area"),
    "zones/capacity_float.json": (lambda: _zones("capacity_float.json"), "capacity"),
    "zones/bom.json": (lambda: _zones("bom.json"), "a area"),
    "zones/name_same.json": (lambda: _zones("name_same.json"), "a twice"),
    "scores/half.txt": (_hint, "x and y doubled"),
    **MEDIA,
}  # fmt: skip
"""Zones, scores, pictures and films: a function that returns the answer, and a part of the right one."""
