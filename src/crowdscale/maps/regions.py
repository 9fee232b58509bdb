"""Dense regions (AutoScale §3.3, §3.4): a network's output → the boxes for a second pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Protocol

import cv2
import numpy as np

from crowdscale.arrays import Booleans, Maps
from crowdscale.errors import OptionError
from crowdscale.maps.overlaps import overlap_matrix
from crowdscale.points import Box

__all__ = [
    "DensityRule",
    "LabelRule",
    "Reference",
    "RegionRule",
    "RuleChoice",
    "pool_region",
    "pooling_matrices",
]

POOLED = 14
"""Side in cells of a region's pooled features, as the scale net reads them (AutoScale §3.3)."""


class Reference(NamedTuple):
    """The measures of a whole photo, against which a part of it is dense or not."""

    area: float
    """Pixels of which a region must cover a share."""
    mean: float = 0.0
    """Mean people a pixel of the whole photo, for densities."""


class RegionRule(Protocol):
    """The rule for dense regions of a map."""

    def find(self, output: Maps, most: int = 1, reference: Reference | None = None) -> list[Box]:
        """Return at most ``most`` dense boxes of a decoded (c, h, w) output, the largest first.

        Args:
            output: The map of a photo or of a part of it.
            most: Number of boxes.
            reference: Measures of the whole photo in place of the part's own, so that no threshold depends on the part.
        """
        ...

    def reference(self, area: float, mean: Callable[[], float]) -> Reference:
        """Return the measures of the whole photo that this rule needs.

        Args:
            area: Pixels of which a region must cover a share.
            mean: Computes the mean people per pixel of the whole photo, at a cost.
        """
        ...


@dataclass(frozen=True)
class LabelRule:
    """Localization: pixels whose arg-max label lies below ``below`` (§3.4)."""

    below: int = 8
    """A pixel of a lower class is dense (c in the paper)."""
    minimum: float = 0.02
    """A component smaller than this share of the photo is none (J_l)."""

    def __post_init__(self) -> None:
        _check_minimum(self.minimum)

    def find(self, output: Maps, most: int = 1, reference: Reference | None = None) -> list[Box]:
        """Return the boxes of the largest dense components of a (2, h, w) output."""
        least = self.minimum * (reference.area if reference else output[1].size)
        return _components(output[1] < self.below, least, most, by="region")

    def reference(self, area: float, mean: Callable[[], float]) -> Reference:
        """Return the area alone: labels need no mean."""
        del mean
        return Reference(area)


@dataclass(frozen=True)
class DensityRule:
    """Regression: pixels whose density exceeds a multiple of the mean (§3.3)."""

    times_mean: float = 2.0
    """The multiple; with ``published_code`` min(4·mean/max, 150/255)·max is used instead."""
    minimum: float = 0.1
    """A component, or its box, smaller than this share of the photo is none (J_r)."""
    by: Literal["region", "box"] = "region"
    """The one that is measured."""
    published_code: bool = False
    """Threshold as the authors' test code does."""

    def __post_init__(self) -> None:
        _check_minimum(self.minimum)
        if self.by not in ("region", "box"):
            raise OptionError("expected by as region or box", repr(self.by))

    def find(self, output: Maps, most: int = 1, reference: Reference | None = None) -> list[Box]:
        """Return the boxes of the largest dense components of a (1, h, w) output."""
        density = output[0]
        least = self.minimum * (reference.area if reference else density.size)
        mean, top = float(density.mean()), float(density.max(initial=0))
        if top <= 0:
            return []
        mean = reference.mean if reference else mean
        threshold = min(4 * mean, top * 150 / 255) if self.published_code else self.times_mean * mean
        return _components(density > threshold, least, most, self.by)

    def reference(self, area: float, mean: Callable[[], float]) -> Reference:
        """Return the area and the mean density."""
        return Reference(area, mean())


@dataclass(frozen=True)
class RuleChoice:
    """Parts of a rule in place of the model's own; None keeps the model's part."""

    minimum: float | None = None
    """Share J of the photo below which a region is none."""
    below: int | None = None
    """Labels: a pixel of a lower class is dense."""
    times_mean: float | None = None
    """Density: a pixel above this many times the mean is dense."""
    by: str | None = None
    """Density: ``region`` measures the region against J, ``box`` its box."""
    published_code: bool | None = None
    """Density: threshold as the authors' test code does."""

    def __post_init__(self) -> None:
        if self.minimum is not None:
            _check_minimum(self.minimum)

    def apply(self, rule: Any) -> Any:
        """Return the rule with these parts. Raises OptionError for parts of the other kind of map."""
        chosen = {name: value for name, value in vars(self).items() if value is not None}
        foreign = [name for name in chosen if not hasattr(rule, name)]
        if foreign:
            raise OptionError(f"expected choices that {type(rule).__name__} has", ", ".join(foreign))
        return replace(rule, **chosen) if chosen else rule


def _check_minimum(share: float) -> None:
    if not 0 <= share <= 1:
        raise OptionError("expected a region minimum from 0 to 1", f"{share:g}", "It is a share of the photo")


def _components(dense: Booleans, least: float, most: int, by: str) -> list[Box]:
    """Largest 8-connected components by true area; ties go to the one met first from the top left."""
    marked = dense.astype(np.uint8)
    # Labels of 16 bits take a third of the time; there are at most as many components as runs begin.
    runs = np.count_nonzero(marked[:, 1:] > marked[:, :-1]) + np.count_nonzero(marked[:, 0])
    kind = cv2.CV_16U if runs < 1 << 16 else cv2.CV_32S
    _, _, stats, _ = cv2.connectedComponentsWithStats(marked, connectivity=8, ltype=kind)
    stats = stats[1:]
    order = np.argsort(-stats[:, cv2.CC_STAT_AREA], kind="stable")
    boxes = []
    for left, top, width, height, area in stats[order].tolist():
        measured = width * height if by == "box" else area
        if measured >= least:
            boxes.append(Box(left, top, left + width, top + height))
    return boxes[:most]


def pooling_matrices(box: Box, stride: int, rows: int, columns: int) -> tuple[Maps, Maps]:
    """Return the (14, rows) and (14, columns) matrices that average a box of the photo's features.

    Each of the 14 × 14 bins is the exact area mean of the cells it overlaps, fractions included;
    one function serves NumPy, torch and every exported graph. (Adaptive pooling does not export.)
    """
    matrices = []
    for low, high, cells in ((box.top, box.bottom, rows), (box.left, box.right, columns)):
        matrix = overlap_matrix(low / stride, high / stride, cells, POOLED)
        matrices.append(matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1e-12))
    return matrices[0], matrices[1]


def pool_region(features: Maps, box: Box, stride: int) -> Maps:
    """Return the (c, 14, 14) mean features of a box.

    Args:
        features: (c, h/stride, w/stride).
        box: The region in photo pixels.
        stride: Photo pixels a feature cell.
    """
    rows, columns = pooling_matrices(box, stride, *features.shape[1:])
    # Cells outside the box have no weight: the products leave them out.
    high, wide = (slice(*np.flatnonzero(m.any(axis=0))[[0, -1]] + (0, 1)) for m in (rows, columns))
    inside = np.matmul(features[:, high, wide], columns[:, wide].T)
    return np.asarray(np.matmul(rows[:, high], inside), dtype=np.float32)
