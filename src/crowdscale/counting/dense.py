"""Dense regions of a network's output, joined and batched for the second pass (AutoScale §3.3, §3.4)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from crowdscale.backends import NetworkOutput
from crowdscale.maps.regions import Reference
from crowdscale.models.description import ModelConfig
from crowdscale.points import Box

__all__ = ["BUCKET", "FALL", "TOGETHER", "buckets", "dense_boxes", "join_touching", "trusted_share"]

BUCKET = 128
"""Pixels to which the sides of views are rounded up; views of equal rounded sides run in one batch."""
TOGETHER = 4_000_000
"""Most pixels of a batch of views."""
FEW = 5.0
"""People added to both counts of a region, so that a few more people are no large growth."""
FALL = 0.55
"""Fall log(before / after) of a count with weight one half; the largest of `lite` in 158 held-out photos is 0.17."""
ALL = 0.98
"""A second pass with a larger weight replaces the first one."""


def dense_boxes(
    config: ModelConfig, output: NetworkOutput, inner: Box, most: int = 1, reference: Reference | None = None
) -> list[Box]:
    """Return the dense boxes of a view in its pixels, the largest first.

    Args:
        config: Has the rule.
        output: The network's output for the view.
        inner: The part of the view to search; it begins on the grid of the network's stride.
        most: Largest number of boxes.
        reference: Measures of the whole photo, for a tile.
    """
    cell, part = output.cell, inner.in_cells(output.cell)
    measure = reference and reference._replace(area=reference.area / cell**2)
    boxes = config.rule.find(output.output[(slice(None), *part.slices)], most, measure)
    return [box.shift(part.left, part.top).in_pixels(cell).within(inner) for box in boxes]


def join_touching(boxes: Sequence[Box], context: int, frame: tuple[int, int]) -> list[Box]:
    """Return boxes that do not touch when each grows by ``context``: touching ones become one box.

    Args:
        boxes: Boxes in order; a joined box takes the place of its first part.
        context: Pixels around each box.
        frame: (height, width) that limits the growth.
    """
    joined = list(boxes)
    at = 0
    while at < len(joined):
        grown = joined[at].grow(context, frame)
        partner = next(
            (i for i in range(at + 1, len(joined)) if grown.touches(joined[i].grow(context, frame))), None
        )
        if partner is None:
            at += 1
        else:
            joined[at] = joined[at].around(joined.pop(partner))
            at = 0  # the larger box may reach an earlier one
    return joined


def buckets(shapes: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Return the indices of (h, w) views by batch: similar sizes, at most ``TOGETHER`` pixels."""
    batches: dict[tuple[int, int], list[list[int]]] = {}
    for index, (height, width) in enumerate(shapes):
        key = (-(-height // BUCKET) * BUCKET, -(-width // BUCKET) * BUCKET)
        groups = batches.setdefault(key, [[]])
        if groups[-1] and (len(groups[-1]) + 1) * key[0] * key[1] > TOGETHER:
            groups.append([])
        groups[-1].append(index)
    return [group for groups in batches.values() for group in groups]


def trusted_share(before: float, after: float, doubt: float) -> float:
    """Return the weight of the second pass in a region, from 0 to 1.

    Grain and texture can turn into heads when a region is enlarged, so a large growth of the count loses weight. Blurred heads
    far away can be lost, so a fall larger than any in the held-out photos of six data sets loses weight, too.

    Args:
        before: People by the first pass.
        after: People by the second pass.
        doubt: Growth log(after / before) that gives weight one half; a fall log(before / after) of ``FALL`` does, too.
            0 trusts each second pass.
    """
    growth = math.log((max(after, 0) + FEW) / (max(before, 0) + FEW))
    if doubt == 0:
        return 1.0
    share = 1 / (1 + (growth / (doubt if growth > 0 else FALL)) ** 4)
    return 1.0 if share > ALL else share
