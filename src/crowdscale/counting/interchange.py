"""Heads in the types of other tools: supervision, COCO, GeoJSON, data frames, the rows that trackers read.

Written with a library's own types where it is installed; nothing is depended upon.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from crowdscale.arrays import Floats
from crowdscale.errors import OptionError
from crowdscale.points import Box, Points, nearest_distances

__all__ = ["coco", "data_frame", "geojson", "head_boxes", "mot_rows", "supervision_detections"]

NEIGHBOURS = 3
SPACING_SHARE = 0.7
"""Side of a head's box over the mean distance to its nearest heads: boxes of neighbours just do not meet."""
LARGEST_SHARE = 1 / 25
"""Largest side over the photo's longer side, for people who stand alone."""


def head_boxes(points: Points, size: tuple[int, int], side: float | None = None) -> Floats:
    """Return (n, 4) boxes (left, top, right, bottom) around heads, for tools that take boxes alone.

    Located heads have no size. A box is as wide as ``side`` or, without it, as the distance to the neighbours allows. Its
    centre is the head.
    """
    if side is not None and not side > 0:
        raise OptionError("expected the side of a head's box above 0", str(side))
    most = max(size) * LARGEST_SHARE
    room = SPACING_SHARE * nearest_distances(points.xy, NEIGHBOURS)
    sides = (
        np.full(len(points), side) if side is not None else np.clip(np.nan_to_num(room, nan=most), 2, most)
    )
    half = sides[:, None] / 2
    return np.concatenate([points.xy - half, points.xy + half], axis=1)


def _confidence(points: Points) -> Floats:
    return points.confidence if points.confidence is not None else np.ones(len(points))


def supervision_detections(points: Points, boxes: Floats) -> Any:
    """Return heads as ``supervision.Detections``: boxes, confidences, class 0, positions under ``data["point"]``."""
    try:
        import supervision
    except ImportError as error:
        raise OptionError(
            "expected the library supervision for to_supervision()",
            "none installed",
            "pip install supervision",
        ) from error
    return supervision.Detections(
        xyxy=boxes.astype(np.float32),
        confidence=_confidence(points).astype(np.float32),
        class_id=np.zeros(len(points), int),
        data={"class_name": np.array(["person"] * len(points), dtype=str), "point": points.xy.copy()},
    )


def coco(points: Points, size: tuple[int, int], name: str, boxes: Floats) -> dict[str, Any]:
    """Return one photo's heads as COCO: a keypoint, a box and a score each."""
    from crowdscale.data.formats.coco import coco_content  # a count needs no readers of annotations
    from crowdscale.data.formats.label import Label

    label = Label(points, boxes[:, 2:] - boxes[:, :2], size)
    content = coco_content({name: label})
    for each, score in zip(content["annotations"], _confidence(points).tolist(), strict=True):
        each["score"] = round(score, 4)
    return content


def geojson(
    points: Points, regions: Sequence[tuple[Box, dict[str, float]]], transform: Sequence[float] | None = None
) -> dict[str, Any]:
    """Return heads as Point features and regions as Polygon features.

    Args:
        points: Heads in pixels.
        regions: Boxes with their properties.
        transform: Six numbers (x₀, a, b, y₀, c, d) that lead from a pixel's corner (column, row) to the map:
            x = x₀ + a·column + b·row, y = y₀ + c·column + d·row, as geo-referenced photos carry. Without it
            coordinates are pixels with y upwards negated, so that viewers show the photo upright.
    """
    to_map = np.array(transform if transform is not None else (0, 1, 0, 0, 0, -1), float)
    if to_map.shape != (6,) or not np.isfinite(to_map).all():
        raise OptionError("expected a transform of six numbers", str(transform))

    def place(xy: Any) -> list[list[float]]:
        column, row = (np.asarray(xy, float) + 0.5).T
        x0, a, b, y0, c, d = to_map
        return np.stack([x0 + a * column + b * row, y0 + c * column + d * row], axis=1).tolist()  # type: ignore[no-any-return]

    heads = [
        _feature("Point", at, {"kind": "head", "confidence": round(score, 4)})
        for at, score in zip(place(points.xy), _confidence(points).tolist(), strict=True)
    ]
    shapes = []
    for box, properties in regions:
        left, top, right, bottom = (edge - 0.5 for edge in box.as_tuple())
        ring = place([(left, top), (left, bottom), (right, bottom), (right, top), (left, top)])
        shapes.append(_feature("Polygon", [ring], {"kind": "region", **properties}))
    return {"type": "FeatureCollection", "features": heads + shapes}


def _feature(kind: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }


def data_frame(points: Points) -> Any:
    """Return heads as a data frame with the columns x, y and confidence, of pandas or else of polars."""
    columns = {
        "x": points.xy[:, 0].copy(),
        "y": points.xy[:, 1].copy(),
        "confidence": _confidence(points).copy(),
    }
    for library in ("pandas", "polars"):
        try:
            return __import__(library).DataFrame(columns)
        except ImportError:
            continue
    raise OptionError(
        "expected the library pandas or polars for to_dataframe()", "neither installed", "pip install pandas"
    )


def mot_rows(points: Points, boxes: Floats, frame: int) -> list[str]:
    """Return heads as lines of the MOT Challenge, which trackers read.

    A line: ``frame,-1,left,top,width,height,confidence,-1,-1,-1``; frames and pixels count from 1.
    """
    if frame < 1:
        raise OptionError("expected frames that count from 1", str(frame))
    return [
        f"{frame},-1,{left + 1:.2f},{top + 1:.2f},{right - left:.2f},{bottom - top:.2f},{score:.4f},-1,-1,-1"
        for (left, top, right, bottom), score in zip(
            boxes.tolist(), _confidence(points).tolist(), strict=True
        )
    ]
