"""Prediction: how many people are in a photo, where, and what the second look changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.counting import interchange
from crowdscale.errors import OptionError
from crowdscale.maps import BlockReading
from crowdscale.points import Box, Points
from crowdscale.trust.intervals import Calibration, Interval
from crowdscale.trust.profile import Impression

__all__ = ["Prediction", "Region"]


@dataclass(frozen=True)
class Region:
    """A dense region that was enlarged and predicted again."""

    box: Box
    """Where, in pixels of the original photo."""
    factor: float
    """Side factor r of the enlargement."""
    count_before: float
    """People in the box by the first pass."""
    count_after: float
    """People in the box by the second pass, which is what counts."""
    capped: bool = False
    """Whether the factor was lowered to keep the enlarged region within its limit of pixels."""
    inner: tuple[Region, ...] = ()
    """Parts of it that were still too dense and were looked at once more."""

    def scale(self, x: float, y: float, size: tuple[int, int]) -> Region:
        """Return the region with its boxes multiplied by (x, y), cut to a (width, height) photo."""
        box = Box(
            int(self.box.left * x),
            int(self.box.top * y),
            min(size[0], round(self.box.right * x)),
            min(size[1], round(self.box.bottom * y)),
        )
        return replace(self, box=box, inner=tuple(each.scale(x, y, size) for each in self.inner))


@dataclass(frozen=True, eq=False)
class Prediction:
    """The people of one photo; all coordinates are those of the original, upright photo."""

    count: float
    """Number of people; equals ``len(points)`` for a points model, about that for a hybrid."""
    points: Points | None
    """Head positions with confidences; None for a density model."""
    map: NDArray[np.float32] | None
    """(rows, columns) of the first pass at the network's stride (8 pixels of the size that was predicted): people in
    a cell, or the mean expected label; None where it was not kept."""
    regions: tuple[Region, ...]
    """The regions enlarged; empty where the first pass stands."""
    first_count: float
    """Number of people by the first pass alone."""
    first_points: Points | None
    """Head positions by the first pass alone; None for a density model."""
    size: tuple[int, int]
    """(width, height) of the original photo."""
    model: str
    """Name of the model."""
    density: NDArray[np.float32] | None = None
    """(rows, columns) people in each cell of a grid over the whole photo: pixels of a density model, 16-pixel
    blocks (the last ones cut by the border) of a hybrid and of a tiled photo; None for a points model. Its sum
    is ``count``."""
    cell: tuple[float, float] = (1.0, 1.0)
    """(width, height) of a cell of ``density`` in pixels of the original photo."""
    reduction: float = 1.0
    """Side factor at which the photo was read, its base scale: below 1 it was reduced, above 1 enlarged."""
    tiles: int = 1
    """Number of tiles in which a large photo was predicted."""
    seconds: float = 0.0
    """Time from pixels to answer."""
    calibration: Calibration | None = None
    """How far the model's counts may be off; None where that was not measured for this way of counting."""
    warnings: tuple[str, ...] = ()
    """A sentence for each way in which the photo is unlike those that the model was trained on."""

    impression: Impression | None = None
    """What was measured of the photo to tell whether it is a familiar one."""

    def interval(self, level: float = 0.9) -> Interval | None:
        """Return the (low, high) between which the true number lies at this level, for photos like the calibration's.

        None where the model has no calibration, or where ``warnings`` say that the photo is unlike those.

        Raises:
            OptionError: The calibration does not know this level.
        """
        if self.calibration is None or self.warnings:
            return None
        return self.calibration.interval(self.count, level)

    def blocks(self) -> BlockReading | None:
        """Return ``density`` with the borders of its cells in pixels of the original photo; None without one."""
        if self.density is None:
            return None
        x, y = (
            np.append(np.arange(cells) * side, length).astype(np.float64)
            for cells, side, length in zip(self.density.shape[::-1], self.cell, self.size, strict=True)
        )
        return BlockReading(self.density.astype(np.float64), x, y)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the map as plain values for JSON."""
        return {
            "count": self.count,
            "first_count": self.first_count,
            "size": list(self.size),
            "model": self.model,
            "reduction": self.reduction,
            "tiles": self.tiles,
            "seconds": round(self.seconds, 4),
            "intervals": self._intervals(),
            "warnings": list(self.warnings),
            "regions": [
                {
                    "box": list(region.box.as_tuple()),
                    "factor": region.factor,
                    "count_before": region.count_before,
                    "count_after": region.count_after,
                    "capped": region.capped,
                }
                for region in self.regions
            ],
            "points": None if self.points is None else self._rows(self.points),
        }

    def _intervals(self) -> dict[str, list[int]] | None:
        if self.calibration is None or self.warnings:
            return None
        known = self.calibration
        return {f"{level:g}": list(known.interval(self.count, level)) for level in known.levels}

    def _heads(self) -> Points:
        if self.points is None:
            raise OptionError(
                "expected a model that locates heads",
                f"{self.model}, which counts only",
                "Use a points or hybrid model",
            )
        return self.points

    def to_supervision(self, side: float | None = None) -> Any:
        """Return the heads as ``supervision.Detections``; see ``head_boxes`` for how large their boxes are.

        Args:
            side: Side in pixels of every box; None follows the room that each head has.

        Raises:
            OptionError: supervision is not installed, or the model gives no positions.
        """
        heads = self._heads()
        return interchange.supervision_detections(heads, interchange.head_boxes(heads, self.size, side))

    def to_coco(self, name: str = "photo.jpg", side: float | None = None) -> dict[str, Any]:
        """Return the heads as COCO of one photo: a keypoint, a box and a score each."""
        heads = self._heads()
        return interchange.coco(heads, self.size, name, interchange.head_boxes(heads, self.size, side))

    def to_geojson(self, transform: Sequence[float] | None = None) -> dict[str, Any]:
        """Return heads and regions as GeoJSON, on the map where a geo-transform is given.

        Args:
            transform: (x₀, a, b, y₀, c, d): x = x₀ + a·column + b·row, y = y₀ + c·column + d·row. None gives
                pixels, y negated.
        """
        regions = [
            (each.box, {"factor": each.factor, "before": each.count_before, "after": each.count_after})
            for each in self.regions
        ]
        return interchange.geojson(self._heads(), regions, transform)

    def to_dataframe(self) -> Any:
        """Return the heads as a data frame (x, y, confidence) of pandas, or of polars where that is installed."""
        return interchange.data_frame(self._heads())

    def to_mot(self, frame: int = 1, side: float | None = None) -> list[str]:
        """Return the heads as lines of the MOT Challenge, the CSV that trackers read."""
        heads = self._heads()
        return interchange.mot_rows(heads, interchange.head_boxes(heads, self.size, side), frame)

    @staticmethod
    def _rows(points: Points) -> list[list[float]]:
        confidence = points.confidence if points.confidence is not None else np.ones(len(points))
        return np.round(np.column_stack([points.xy, confidence]), 3).tolist()  # type: ignore[no-any-return]
