"""Distance label map (AutoScale §3.4): per pixel, the class of its distance to the nearest head.

Heads are the regional minima of the map: an 8-connected plateau lower than all its neighbours is one head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.arrays import Booleans, Floats, Integers, Maps, Pixels
from crowdscale.errors import OptionError
from crowdscale.maps.estimates import Estimate, PointsEstimate, PublishedEstimate
from crowdscale.maps.output import NetworkOutput
from crowdscale.points import Box, Points

__all__ = ["LABEL_EDGES", "DistanceLabels", "expected_label", "regional_minima", "window_minima"]

LABEL_EDGES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 18.0, 28.0)
"""Lower edges in pixels of classes 1 to 10; class 0 is [0, 1), class 10 is 28 and beyond."""


@dataclass(frozen=True)
class DistanceLabels:
    """The distance label codec: points ⇄ label map, and a network's scores → points."""

    edges: tuple[float, ...] = LABEL_EDGES
    """Lower edges in pixels of the classes after the first, ascending."""
    window: int = 5
    """Side in pixels (odd) of the neighbourhood in which a head is the lowest expected label."""
    ceiling: float = 6.0
    """An expected label at or above this is no head."""

    kind: ClassVar[str] = "distance labels"
    """The kind of map, by which losses are chosen."""
    labelled: ClassVar[bool] = True
    """Whether the map holds classes."""
    counts_pixels: ClassVar[bool] = False
    """Whether a pixel of the map holds people."""
    counts_blocks: ClassVar[bool] = False
    """Whether the codec reads people in blocks."""
    locates: ClassVar[bool] = True
    """Whether the codec reads heads."""
    largest_area: ClassVar[float] = 5.0
    """Largest area factor of a zoom (AutoScale §4)."""

    def __post_init__(self) -> None:
        if not self.edges or list(self.edges) != sorted(set(self.edges)) or self.edges[0] <= 0:
            raise OptionError("expected edges as ascending positive distances", str(self.edges))
        if self.window < 3 or self.window % 2 == 0:
            raise OptionError("expected window as an odd number of at least 3", str(self.window))

    @property
    def channels(self) -> int:
        """Number of classes, which is the number of channels a network predicts."""
        return len(self.edges) + 1

    @property
    def background(self) -> int:
        """The class of pixels far from every head."""
        return len(self.edges)

    @property
    def reach(self) -> int:
        """Pixels beyond a crop's border from which a head still changes its labels."""
        return int(np.ceil(self.edges[-1]))

    def encode(self, points: Points, width: int, height: int) -> Pixels:
        """Return the (height, width) label map of the points.

        Points outside the frame count too, up to ``reach`` pixels away, so that a crop has the
        labels that it has within its photo. Distances are exact Euclidean ones between pixels.
        """
        margin = self.reach + 1
        columns, rows = np.floor(points.xy.T + 0.5).astype(np.int64) + margin
        frame = np.full((height + 2 * margin, width + 2 * margin), 255, np.uint8)
        near = (columns >= 0) & (columns < frame.shape[1]) & (rows >= 0) & (rows < frame.shape[0])
        if not near.any():
            return np.full((height, width), self.background, np.uint8)
        frame[rows[near], columns[near]] = 0
        distances = cv2.distanceTransform(frame, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        inner = np.ascontiguousarray(distances[margin : margin + height, margin : margin + width])
        return self._classes(inner)

    def _classes(self, distances: NDArray[Any]) -> Pixels:
        """Return the class of each distance between pixels."""
        # The transform is float32: √(a² + b²) of a whole edge such as 5 may land a hair below it.
        table = np.searchsorted(np.square(self.edges), np.arange(self.reach**2 + 1), side="right")
        squared = np.minimum(np.rint(np.square(distances)), self.reach**2).astype(np.int64)
        return np.asarray(table[squared], dtype=np.uint8)

    def certain(self, labels: Pixels, counted: Booleans) -> Booleans:
        """Return the pixels that count and whose label no head in an ignored pixel could lower.

        Args:
            labels: (h, w) labels of the heads that are known.
            counted: (h, w) pixels that are not ignored.
        """
        if counted.all():
            return counted
        away = cv2.distanceTransform(counted.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        return np.asarray(counted & (labels <= self._classes(away)))

    def count(self, labels: Pixels) -> int:
        """Return the number of heads in a (h, w) label map: its regional minima."""
        return len(self.locate(labels))

    def locate(self, labels: Pixels) -> Points:
        """Return the heads of a (h, w) label map: the centres of its regional minima (as published)."""
        return Points(regional_minima(labels, self.background))

    def blank(self, labels: Pixels, box: Box) -> Pixels:
        """Return the map with the box set to background: the published way to leave a region out."""
        blanked = labels.copy()
        blanked[box.slices] = self.background
        return blanked

    def scaled(self, zoom: float) -> DistanceLabels:
        """Return the codec of a map enlarged by this side factor, its label edges enlarged too."""
        return replace(self, edges=tuple(edge * zoom for edge in self.edges))

    def with_dots(self, dots: bool) -> DistanceLabels:
        """Raise OptionError: only a density has maxima to read as heads."""
        del dots
        raise OptionError("expected a density model to read maxima as heads", f"one of {self.kind}")

    def settings(self) -> dict[str, float]:
        """Return the settings of reading that need no training."""
        return {"window": self.window, "ceiling": self.ceiling}

    def variants(self, windows: Sequence[int], ceilings: Sequence[float]) -> list[DistanceLabels]:
        """Return the codec with every pair of these settings; an empty list keeps its own."""
        pairs = product(windows or (self.window,), ceilings or (self.ceiling,))
        return [replace(self, window=window, ceiling=ceiling) for window, ceiling in pairs]

    def cell_values(self, sums: Floats, areas: Floats) -> Maps:
        """Return the mean expected label of each cell from the sums over its pixels."""
        return np.asarray(sums / areas, np.float32)

    def estimate(self, seen: NetworkOutput) -> Estimate:
        """Return the heads of a network's output."""
        return self.read(seen.enlarged().output)

    def read(self, output: Maps) -> PointsEstimate:
        """Return the heads in a network's decoded output, sub-pixel and with a confidence each.

        Minima of the expected label Σ i·P_i: arg-max plateaus melt neighbouring heads into one.

        Args:
            output: (2, h, w) expected label and arg-max label of each pixel.
        """
        return PointsEstimate(window_minima(output[0], self.window, self.ceiling))

    def read_published(self, output: Maps) -> PublishedEstimate:
        """Return the heads as published: regional minima of the arg-max label (output[1])."""
        return PointsEstimate(self.locate(output[1].astype(np.uint8)))

    def blank_output(self, output: Maps, box: Box) -> Maps:
        """Return a decoded output with the box set to background."""
        blanked = output.copy()
        blanked[(slice(None), *box.slices)] = self.background
        return blanked

    def keep_counted(self, output: Maps, counted: Booleans) -> Maps:
        """Return a (2, h, w) decoded output with background where a pixel is ignored."""
        return np.where(counted, output, np.float32(self.background))


def expected_label(scores: Maps) -> Maps:
    """Return the (h, w) mean label Σ i·softmax(scores)_i of (classes, h, w) logits."""
    shifted = np.exp(scores - scores.max(axis=0))
    weights = np.arange(len(scores), dtype=np.float32)
    return np.asarray(np.tensordot(weights, shifted, 1) / shifted.sum(axis=0), dtype=np.float32)


def regional_minima(labels: NDArray[Any], background: int) -> Floats:
    """Return the (n, 2) centres (x, y) of 8-connected plateaus lower than all their neighbours.

    Plateaus of ``background`` or above are none, and so is a constant map (it has no neighbours
    to be lower than). Linear in the number of pixels: a plateau is a connected component of its
    level; it is no minimum as soon as one of its pixels touches a lower one.
    """
    kernel = np.ones((3, 3), np.uint8)
    touches_lower = cv2.erode(labels, kernel, borderType=cv2.BORDER_REPLICATE) < labels
    minima = []
    for level in np.unique(labels):
        at_level = labels == level
        if level >= background or at_level.all():
            continue
        number, plateaus, _, centres = cv2.connectedComponentsWithStats(
            at_level.astype(np.uint8), connectivity=8
        )
        is_minimum = np.ones(number, bool)
        is_minimum[plateaus[at_level & touches_lower]] = False
        minima.append(centres[1:][is_minimum[1:]])
    return np.concatenate(minima) if minima else np.zeros((0, 2))


def window_minima(values: Maps, window: int, ceiling: float) -> Points:
    """Return the sub-pixel minima of a (h, w) expected-label map below ``ceiling``.

    A head is a pixel that no pixel of the window around it undercuts; equal ones that touch are one
    head. Its place is refined by the parabola through its neighbours, at most half a pixel. Its
    confidence is 1 at label 0 and falls to 0 at the ceiling.
    """
    lowest = cv2.erode(values, np.ones((window, window), np.uint8), borderType=cv2.BORDER_REPLICATE)
    candidates = (values <= lowest) & (values < ceiling)
    if candidates.all():
        return Points(confidence=np.zeros(0))
    xy, single = _plateaus(candidates)
    columns, rows = np.rint(xy.T).astype(np.int64)
    here = values[rows, columns].astype(np.float64)
    # Mirrored without its edge, the map has its vertex on the border pixel: none is pulled out of the frame.
    left, right = _mirrored(columns, values.shape[1])
    above, below = _mirrored(rows, values.shape[0])
    dx = _vertex(values[rows, left], here, values[rows, right])
    dy = _vertex(values[above, columns], here, values[below, columns])
    # Along an axis with several equal pixels their mean is the refined place already.
    return Points(xy + single * np.stack([dx, dy], axis=1), np.clip(1.0 - here / ceiling, 0.0, 1.0))


def _plateaus(marked: Booleans) -> tuple[Floats, Booleans]:
    """Return the (n, 2) centres of 8-connected groups and whether each is one pixel wide and high.

    Groups are almost always single pixels; only where two touch is the whole map searched for components.
    """
    width = marked.shape[1]
    places = np.flatnonzero(marked)
    rows, columns = places // width, places % width
    following = np.zeros((marked.shape[0] + 1, width + 2), bool)
    following[:-1, 1:-1] = marked
    touching = (
        following[rows, columns + 2]
        | following[rows + 1, columns]
        | following[rows + 1, columns + 1]
        | following[rows + 1, columns + 2]
    )
    if not touching.any():
        return np.stack([columns, rows], axis=1).astype(np.float64), np.ones((len(places), 2), bool)
    _, _, stats, centres = cv2.connectedComponentsWithStats(marked.astype(np.uint8), connectivity=8)
    single = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]] == 1
    return np.asarray(centres[1:], np.float64), np.asarray(single, bool)


def _mirrored(index: Integers, length: int) -> tuple[Integers, Integers]:
    """Return the neighbours before and after, mirrored at both ends; a single pixel is its own."""
    last = length - 1
    return np.minimum(np.abs(index - 1), last), np.maximum(last - np.abs(last - 1 - index), 0)


def _vertex(before: Maps, at: Floats, after: Maps) -> Any:
    """Offset in -0.5…0.5 of the lowest point of the parabola through three neighbours."""
    before, after = before.astype(np.float64), after.astype(np.float64)
    curvature = before - 2 * at + after
    flat = curvature < 1e-9
    return np.where(flat, 0.0, np.clip((before - after) / (2 * np.where(flat, 1.0, curvature)), -0.5, 0.5))
