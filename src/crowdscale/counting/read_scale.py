"""The read scale of a large photo: heads of 400 px and heads of 6 px both come near the size of the training heads.

The photo is read small, then its most crowded parts at twice the size, and again. The evidence is the sum of the heads'
confidences: it falls where heads grow too large for the network and rises where they were too small. The search ends
where the evidence falls. The learned zoom is relative to this scale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from crowdscale.arrays import Pixels
from crowdscale.files.images import resize_image
from crowdscale.points import Box, Points

__all__ = ["Evidence", "ReadScaleOptions", "choose_read_scale"]


class Evidence(Protocol):
    """The part of an estimate that the search needs."""

    @property
    def points(self) -> Points | None:
        """Heads in pixels of the view."""
        ...

    def count_in(self, box: Box) -> float:
        """Number of people in a box of the view."""
        ...


@dataclass(frozen=True)
class ReadScaleOptions:
    """How the read scale of a photo is chosen."""

    above: int = 1_500_000
    """Photos of at most this many pixels keep their scale."""
    overview: int = 500_000
    """The search begins with the whole photo in at most this many pixels."""
    window: int = 384
    """Side in pixels of the parts that are read larger."""
    windows: int = 4
    """Number of these parts: the most crowded ones."""
    keep: float = 0.7
    """A larger scale is taken while its evidence is at least this share of the best; chosen on validation photos."""
    border: int = 32
    """Pixels around a part that are read and give no evidence."""


@dataclass(frozen=True)
class Part:
    """A part of the photo in pixels of the original, and its evidence."""

    box: Box
    people: Evidence
    context: Box
    """The box with its border."""
    scale: float

    def evidence(self, box: Box) -> float:
        """Return the sum of the confidences of heads in a box of the photo; people for a model without heads."""
        left, top = self.context.left, self.context.top
        local = Box(
            *(
                max(0, round((edge - start) * self.scale))
                for edge, start in zip(box.as_tuple(), (left, top, left, top), strict=True)
            )
        )
        points = self.people.points
        if points is None:
            return max(0.0, self.people.count_in(local))
        inside = points.inside(local)
        return float(inside.confidence.sum() if inside.confidence is not None else len(inside))


def choose_read_scale(read: Callable[[Pixels], Evidence], pixels: Pixels, options: ReadScaleOptions) -> float:
    """Return the side factor, a power of ½ or 1, at which a photo is best read.

    Args:
        read: Returns the people of (h, w, 3) pixels.
        pixels: (h, w, 3) the photo.
        options: The sizes of parts and when to stop.
    """
    height, width = pixels.shape[:2]
    if width * height <= options.above:
        return 1.0
    halvings = int(np.ceil(np.log2(width * height / options.overview) / 2))
    frame = Box(0, 0, width, height)
    parts = [_read_part(read, pixels, frame, 0.5**halvings, 0)]
    evidence = best = parts[0].evidence(frame)
    chosen = halvings
    for level in range(halvings - 1, -1, -1):
        boxes = _most_crowded(parts, options, 0.5**level)
        before = sum(part.evidence(box) for part, box in boxes)
        parts = [_read_part(read, pixels, box, 0.5**level, options.border) for _, box in boxes]
        now = sum(part.evidence(part.box) for part in parts)
        evidence = evidence * now / before if before >= 1 else evidence + now
        if evidence < options.keep * best and best >= 1:
            break
        best = max(best, evidence)
        if evidence > 0:
            chosen = level
    return float(0.5**chosen)


def _read_part(
    read: Callable[[Pixels], Evidence], pixels: Pixels, box: Box, scale: float, border: int
) -> Part:
    context = box.grow(round(border / scale), (pixels.shape[0], pixels.shape[1]))
    view = resize_image(
        pixels[context.slices], max(1, round(context.width * scale)), max(1, round(context.height * scale))
    )
    return Part(box, read(view), context, scale)


def _most_crowded(parts: list[Part], options: ReadScaleOptions, scale: float) -> list[tuple[Part, Box]]:
    """Return the cells with the most evidence that fill a window at the next scale, each with its part."""
    cells = [(part, box) for part in parts for box in _cells(part.box, round(options.window / scale))]
    scores = np.array([part.evidence(box) for part, box in cells])
    if not scores.any():  # nobody found: read parts all over
        return [cells[i] for i in np.linspace(0, len(cells) - 1, options.windows + 2).astype(int)[1:-1]]
    order = np.argsort(-scores, kind="stable")
    return [cells[i] for i in order[: options.windows]]


def _cells(box: Box, side: int) -> list[Box]:
    """Cut a box into a grid of equal cells of about ``side``."""
    columns, rows = max(1, round(box.width / side)), max(1, round(box.height / side))
    x = np.linspace(box.left, box.right, columns + 1).astype(int).tolist()
    y = np.linspace(box.top, box.bottom, rows + 1).astype(int).tolist()
    return [Box(x[i], y[j], x[i + 1], y[j + 1]) for j in range(rows) for i in range(columns)]
