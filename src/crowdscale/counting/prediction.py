"""Prediction: the people of a photo, their positions, and its dense regions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from crowdscale.arrays import Maps, Pixels
from crowdscale.counting import interchange, viewing
from crowdscale.counting.table import photo_row
from crowdscale.deprecation import renamed
from crowdscale.errors import OptionError
from crowdscale.maps import BlockEstimate
from crowdscale.points import Box, Points
from crowdscale.trust.appearance import Appearance
from crowdscale.trust.intervals import Calibration, Interval

__all__ = ["Prediction", "Region"]


@renamed(factor="zoom", count_before="first_pass_count", count_after="count")
@dataclass(frozen=True)
class Region:
    """A dense region of a photo and its second pass."""

    box: Box
    """The region in pixels of the original photo."""
    zoom: float
    """Side factor of the enlargement; ``zoom**2`` is its area factor."""
    first_pass_count: float
    """People in the box by the first pass."""
    count: float
    """People in the box by the second pass, which the photo's count includes."""
    capped: bool = False
    """Whether the limit of pixels lowered the zoom."""
    inner: tuple[Region, ...] = ()
    """Parts of the region with a third pass."""

    def scale(self, x: float, y: float, size: tuple[int, int]) -> Region:
        """Return the region with its boxes multiplied by (x, y), cut to a (width, height) photo."""
        box = Box(
            int(self.box.left * x),
            int(self.box.top * y),
            min(size[0], round(self.box.right * x)),
            min(size[1], round(self.box.bottom * y)),
        )
        return replace(self, box=box, inner=tuple(each.scale(x, y, size) for each in self.inner))


@renamed(
    first_count="first_pass_count",
    first_points="first_pass_points",
    reduction="read_scale",
    impression="appearance",
)
@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """The people of one photo; all coordinates are those of the original, upright photo."""

    count: float
    """Number of people; equals ``len(points)`` for a points model and is close to it for a hybrid."""
    points: Points | None
    """Head positions with confidences; None for a density model. A confidence is the probability that a person is
    there where ``calibrated_heads`` holds, else a value from 0 to 1 by which heads are ordered alone."""
    map: Maps | None
    """(rows, columns) of the first pass in cells of the network's stride, 8 pixels of the photo as it is read: people
    in a cell, or the mean expected label. None with ``keep_map=False``."""
    regions: tuple[Region, ...]
    """Dense regions with a second pass, the largest first."""
    first_pass_count: float
    """Number of people by the first pass alone."""
    first_pass_points: Points | None
    """Head positions by the first pass alone; None for a density model."""
    size: tuple[int, int]
    """(width, height) of the original photo."""
    model: str
    """Name of the model."""
    density: Maps | None = None
    """(rows, columns) people in each cell of a grid over the whole photo: pixels of a density model, 16-pixel
    blocks (the last ones cut by the border) of a hybrid and of a tiled photo; None for a points model. Its sum
    is ``count``."""
    cell: tuple[float, float] = (1.0, 1.0)
    """(width, height) of a cell of ``density`` in pixels of the original photo."""
    read_scale: float = 1.0
    """Side factor at which the photo is read: below 1 it is reduced, above 1 enlarged."""
    tiles: int = 1
    """Number of tiles in which the photo is read."""
    seconds: float = 0.0
    """Time from pixels to result."""
    calibration: Calibration | None = None
    """Source of the intervals; None for a model without one and for options that change counts."""
    warnings: tuple[str, ...] = ()
    """A sentence for each way in which the photo differs from the training photos, and for each guess at its values."""
    notes: tuple[str, ...] = ()
    """A sentence for each choice in reading the file, such as the page of a TIFF. Notes leave the interval."""
    usable: bool = True
    """Whether the count may be used: False for a photo that is unlike all training photos. The first warning says so."""

    turn: int = 0
    """Degrees by which the photo was turned clockwise before it was counted: 0, 90, 180 or 270."""

    appearance: Appearance | None = None
    """Measurements of the photo from which the warnings come."""

    calibrated_heads: bool = False
    """Whether the confidences of heads are probabilities."""

    source: Any = field(default=None, compare=False)
    """The photo, for pictures: its path, or a weak reference to the array or the PIL image, so that no pixels are held
    in memory. None for bytes and open files. Only a path is pickled."""

    def __repr__(self) -> str:
        return viewing.one_line(self)

    def __getstate__(self) -> dict[str, Any]:
        kept = self.source if isinstance(self.source, (str, os.PathLike)) else None
        return {**self.__dict__, "source": kept}

    def picture(self, kind: str = "people", photo: Any = None) -> Pixels:
        """Return a picture of the photo as (h, w, 3) RGB uint8; a photo above 6 megapixels is reduced.

        Args:
            kind: ``people``: heads and regions. ``heat``: people per area, on a fixed scale. ``zoom``: the size at which
                regions are read again.
            photo: The photo that was counted, where the prediction does not hold it: all that ``predict`` takes.

        Raises:
            OptionError: There is no such kind.
            ImageError: There is no photo, or it has another size.
        """
        return viewing.picture(self, kind, photo)

    def show(self, kind: str = "people", photo: Any = None) -> None:
        """Show a picture: in a notebook below the cell, else in the viewer of the system. Arguments as ``picture``."""
        viewing.show(self, kind, photo)

    def save(self, path: str | os.PathLike[str], kind: str = "people", photo: Any = None) -> Path:
        """Write a picture by its suffix (.jpg, .png, …), or ``to_dict()`` as .json, and return the path.

        Args:
            path: The file; it is replaced if it exists.
            kind: As ``picture`` takes it.
            photo: As ``picture`` takes it.

        Raises:
            ImageError: The suffix is no picture's, or there is no photo.
        """
        return viewing.save(self, path, kind, photo)

    def plot(self, ax: Any = None, photo: Any = None) -> Any:
        """Draw photo, heads and regions on axes of matplotlib, in pixels of the photo, and return the axes.

        Args:
            ax: The axes; None takes the current ones.
            photo: As ``picture`` takes it.

        Raises:
            OptionError: matplotlib is not installed.
            ImageError: There is no photo, or it has another size.
        """
        return viewing.plot(self, ax, photo)

    def _repr_html_(self) -> str:
        return viewing.as_html(self)

    def interval(self, level: float = 0.9) -> Interval | None:
        """Return the (low, high) that holds the true number at this level, for photos like the calibration's.

        None for a model without calibration, and for a photo with ``warnings``.

        Raises:
            OptionError: The calibration has no such level.
        """
        if self.calibration is None or self.warnings:
            return None
        return self.calibration.interval(self.count, level)

    def intervals(self) -> dict[str, list[int]] | None:
        """Return [low, high] by level, such as ``0.9``; None where ``interval`` returns None."""
        if self.calibration is None or self.warnings:
            return None
        return {
            f"{level:g}": list(self.calibration.interval(self.count, level))
            for level in self.calibration.levels
        }

    @property
    def interval_of(self) -> str:
        """For which photos the 90 % interval holds, as a sentence; empty where ``interval`` returns None."""
        if self.calibration is None or self.warnings:
            return ""
        return self.calibration.holds_for(self.model)

    def blocks(self) -> BlockEstimate | None:
        """Return ``density`` with the borders of its cells in pixels of the original photo; None without one."""
        if self.density is None:
            return None
        x, y = (
            np.append(np.arange(cells) * side, length).astype(np.float64)
            for cells, side, length in zip(self.density.shape[::-1], self.cell, self.size, strict=True)
        )
        return BlockEstimate(self.density.astype(np.float64), x, y)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the maps as plain values, by the names of ``docs/files-and-columns.md``."""
        values = photo_row("", self).to_dict()
        return {name: value for name, value in values.items() if name not in ("photo", "zones", "error")}

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
            (each.box, {"zoom": each.zoom, "first_pass_count": each.first_pass_count, "count": each.count})
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
