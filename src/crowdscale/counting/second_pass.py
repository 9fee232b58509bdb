"""The second look (AutoScale §3.2 to §3.4): dense regions of a first pass → factors → enlarged views → one merged reading.

One region by default; several (the papers' open weakness) are merged where they touch and go through the
network together where their views are alike; a region that is still too dense is looked at once more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdscale.backends import Backend, FirstPass
from crowdscale.counting.canvas import Canvas
from crowdscale.counting.prediction import Region
from crowdscale.counting.tiles import Tile, TileOptions, plan_tiles
from crowdscale.errors import OptionError
from crowdscale.maps import HybridLabels
from crowdscale.maps.regions import Whole, pool_region
from crowdscale.models.description import ModelConfig
from crowdscale.points import Box

__all__ = ["Reading", "Refiner", "join_touching", "read_output"]

Pixels = NDArray[np.uint8]
Reading = Any  # PointsReading, DensityReading, BlockReading or HybridReading, never mixed

BUCKET = 128
"""Pixels to which the sides of views are rounded up: those that then agree go through the network together."""
TOGETHER = 4_000_000
"""Pixels of views that go through the network together."""
FEW = 5.0
"""People added to both counts of a region, so that a few more are no large growth."""
ALL = 0.98
"""A second pass with a larger weight replaces the first one."""
STILL_DENSE = 1.25
"""A part of an enlarged region is still too dense where the scale net wants it larger by this side factor at least."""


class View(NamedTuple):
    """A region with its context, enlarged."""

    box: Box
    """The region, in pixels of the base scale."""
    context: Box
    """What is shown of the photo, in the same pixels."""
    factor: float
    capped: bool
    pixels: Pixels


class Looked(NamedTuple):
    """What a second look gives."""

    reading: Reading
    """In pixels of the base scale."""
    seen: FirstPass | None
    """The network's answer; None where the view was cut into tiles."""


@dataclass(frozen=True)
class Refiner:
    """Looks at dense regions again.

    Args:
        backend: An engine with the model loaded.
        config: The model's description, with the rule that tells what is dense.
        tiles: How a view that is too large for one look is cut.
        published: Blank regions and add second counts, as published, instead of the ownership rule.
        fixed: A side factor in place of the learned one, or one for each box in pixels of the base scale.
        regions: At most this many regions, or ``all``.
        again: Look once more where an enlarged region is still too dense.
    """

    backend: Backend
    config: ModelConfig
    tiles: TileOptions
    published: bool = False
    fixed: float | Callable[[Box], float] | None = None
    regions: int | Literal["all"] = 1
    again: bool = False

    def refine(
        self, canvas: Canvas, tile: Tile, first: FirstPass, begun: Reading, whole: Whole | None
    ) -> tuple[Reading, list[Region]]:
        """Return the reading with its dense regions looked at again, and those regions.

        Args:
            canvas: The photo at its base scale.
            tile: The part of it that the first pass saw.
            first: That first pass.
            begun: Its reading, in pixels of the base scale.
            whole: What the regions of a part are measured by.
        """
        frame = (canvas.height, canvas.width)
        views = [
            self._view(canvas, placed, self._area(first, box, placed))
            for box in self._boxes(first, tile, frame, whole)
            for placed in [box.shift(tile.seen.left, tile.seen.top)]
        ]
        looked = self._look(views)
        if self.published:
            return self._add(first, begun, views, looked)
        reading, regions = begun, []
        for view, second in zip(views, looked, strict=True):
            last, inner = self._once_more(canvas, view, second) if self.again else (second, ())
            before = reading.count_in(view.box)
            merged = reading.replace(view.box, last.reading)
            after = merged.count - (reading.count - before)
            share = trusted_share(before, after, self.config.zoom.doubt)
            if share < 1:
                merged = reading.blend(merged, share)
                after = merged.count - (reading.count - before)
            reading = merged
            regions.append(Region(view.box, view.factor, before, after, view.capped, inner))
        return reading, regions

    def _boxes(self, first: FirstPass, tile: Tile, frame: tuple[int, int], whole: Whole | None) -> list[Box]:
        """The dense boxes in pixels of what the tile sees, those that touch with their contexts joined."""
        most = first.output[0].size if self.regions == "all" else self.regions
        found = dense_boxes(self.config, first, tile.inner, most, whole)
        return join_touching(found, self._context, frame) if len(found) > 1 else found

    @property
    def _context(self) -> int:
        return 0 if self.published else self.config.zoom.context

    def _area(self, first: FirstPass, inside: Box, placed: Box) -> float:
        """The area factor q of a box, in pixels of what was seen and of the base scale: fixed, or learned and clamped."""
        if callable(self.fixed):
            factor = self.fixed(placed)
            if not 0.1 <= factor <= 10:
                raise OptionError("expected factors from 0.1 to 10", str(factor))
            return factor**2
        if self.fixed is not None:
            return self.fixed**2
        zoom = self.config.zoom
        pooled = pool_region(first.features, inside, self.config.feature_stride)
        return float(np.clip(self.backend.area_factor(pooled) * zoom.gain**2, zoom.area_low, zoom.area_high))

    def _view(self, canvas: Canvas, box: Box, area: float) -> View:
        """Enlarge a region with its context by r = √q, within the limit of pixels."""
        frame, zoom = (canvas.height, canvas.width), self.config.zoom
        limit = zoom.max_pixels / max(1, box.grow(zoom.context, frame).area)
        factor = float(np.sqrt(min(area, limit)))
        context = box.grow(self._context, frame)
        return View(box, context, factor, area > limit, canvas.enlarge(context, factor))

    def _look(self, views: Sequence[View]) -> list[Looked]:
        """Predict enlarged regions, those of alike sizes together."""
        looked: dict[int, Looked] = {}
        for bucket in buckets([view.pixels.shape[:2] for view in views]):
            chosen = [views[i] for i in bucket]
            if len(bucket) > 1:
                answers = self._together([view.pixels for view in chosen])
                looked |= {i: self._placed(views[i], seen) for i, seen in zip(bucket, answers, strict=True)}
            else:
                looked[bucket[0]] = self._alone(chosen[0])
        return [looked[i] for i in range(len(views))]

    def _together(self, views: Sequence[Pixels]) -> list[FirstPass]:
        """Predict views in one batch, each padded right and below with the mean colour to the largest."""
        height, width = (max(view.shape[axis] for view in views) for axis in (0, 1))
        mean = np.rint(np.array(self.config.mean) * 255).astype(np.uint8)
        padded = []
        for view in views:
            canvas = np.broadcast_to(mean, (height, width, 3)).copy()
            canvas[: view.shape[0], : view.shape[1]] = view
            padded.append(canvas)
        answers = self.backend.predict_batch(padded)
        return [seen.cut(*view.shape[:2]) for seen, view in zip(answers, views, strict=True)]

    def _alone(self, view: View) -> Looked:
        height, width = view.pixels.shape[:2]
        tiles = plan_tiles(width, height, self.tiles)
        if self.published or len(tiles) == 1:
            return self._placed(view, self.backend.predict(view.pixels))
        parts = [
            (tile.owned, self._read(seen).place(tile.seen, tile.seen.width, tile.seen.height))
            for tile in tiles
            for seen in [self.backend.predict(np.ascontiguousarray(view.pixels[tile.seen.slices]))]
        ]
        reading = type(parts[0][1]).join(parts, width, height)
        return Looked(reading.place(view.context, width, height), None)

    def _placed(self, view: View, seen: FirstPass) -> Looked:
        height, width = view.pixels.shape[:2]
        return Looked(self._read(seen).place(view.context, width, height), seen)

    def _read(self, seen: FirstPass) -> Reading:
        return read_output(self.config, seen, self.published)

    def _once_more(self, canvas: Canvas, view: View, second: Looked) -> tuple[Looked, tuple[Region, ...]]:
        """Look again where the largest dense part of an enlarged region is still too dense."""
        seen, (left, top) = second.seen, (view.context.left, view.context.top)
        height, width = view.pixels.shape[:2]
        found = dense_boxes(self.config, seen, Box(0, 0, width, height)) if seen is not None else []
        if seen is None or not found:
            return second, ()
        x, y = width / view.context.width, height / view.context.height
        corners = (found[0].left / x, found[0].top / y, found[0].right / x, found[0].bottom / y)
        inner = Box(*map(round, corners)).shift(left, top).within(view.box)
        wanted = self._area(seen, found[0], inner)
        if wanted < STILL_DENSE**2 or not inner.area:
            return second, ()
        third = self._view(canvas, inner, view.factor**2 * wanted)
        (answer,) = self._look([third])
        before = second.reading.count_in(inner)
        merged = second.reading.replace(inner, answer.reading)
        region = Region(inner, third.factor, before, merged.count_in(inner), third.capped)
        return Looked(merged, seen), (region,)

    def _add(
        self, first: FirstPass, begun: Reading, views: Sequence[View], looked: Sequence[Looked]
    ) -> tuple[Reading, list[Region]]:
        """The published merge: regions blanked in the first map, the second counts added."""
        codec, output, reading = self.config.codec, first.enlarged().output, begun
        added: list[Reading] = []
        regions = []
        for view, second in zip(views, looked, strict=True):
            before = reading.count_in(view.box)
            output = codec.blank_output(output, view.box)
            added.append(second.reading)
            merged = reduce(lambda known, part: known.add(part), added, codec.read_published(output))
            regions.append(
                Region(view.box, view.factor, before, merged.count - (reading.count - before), view.capped)
            )
            reading = merged
        return reading, regions


def trusted_share(before: float, after: float, doubt: float) -> float:
    """Return the weight of the second pass in a region, from 0 to 1.

    A region in which far more people appear once it is enlarged is one in which grain or texture turned into heads. Fewer
    people are trusted: enlarged, what is no head can be told from one.

    Args:
        before: People by the first pass.
        after: People by the second pass.
        doubt: Growth log(after / before) with weight one half; 0 trusts each second pass.
    """
    growth = math.log((max(after, 0) + FEW) / (max(before, 0) + FEW))
    if doubt == 0 or growth <= 0:
        return 1.0
    share = 1 / (1 + (growth / doubt) ** 4)
    return 1.0 if share > ALL else share


def read_output(config: ModelConfig, seen: FirstPass, published: bool = False) -> Reading:
    """Return what the network's output says of the view it saw."""
    codec = config.codec
    if published:
        return codec.read_published(seen.enlarged().output)
    if isinstance(codec, HybridLabels):
        return codec.read(seen.output, seen.blocks, seen.cell, seen.size)
    return codec.read(seen.enlarged().output)


def dense_boxes(
    config: ModelConfig, seen: FirstPass, inner: Box, most: int = 1, whole: Whole | None = None
) -> list[Box]:
    """Return the dense boxes, in pixels of what was seen, by the part ``inner`` of it, the largest first.

    Args:
        config: Whose rule tells what is dense.
        seen: What the network says.
        inner: Begins on the grid of the network's stride.
        most: Number of boxes.
        whole: What the regions of a part are measured by.
    """
    cell, part = seen.cell, inner.in_cells(seen.cell)
    measure = whole and whole._replace(area=whole.area / cell**2)
    found = config.rule.find(seen.output[(slice(None), *part.slices)], most, measure)
    return [box.shift(part.left, part.top).in_pixels(cell).within(inner) for box in found]


def join_touching(boxes: Sequence[Box], context: int, frame: tuple[int, int]) -> list[Box]:
    """Return boxes of which no two touch once grown by ``context``: those that do are joined to one.

    Args:
        boxes: In order; a joined box stands where its first part stood.
        context: Pixels that each sees around itself.
        frame: (height, width) within which they grow.
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
    """Return the places of (h, w) views that go through the network together: alike in size, few pixels in all."""
    found: dict[tuple[int, int], list[list[int]]] = {}
    for index, (height, width) in enumerate(shapes):
        key = (-(-height // BUCKET) * BUCKET, -(-width // BUCKET) * BUCKET)
        groups = found.setdefault(key, [[]])
        if groups[-1] and (len(groups[-1]) + 1) * key[0] * key[1] > TOGETHER:
            groups.append([])
        groups[-1].append(index)
    return [group for groups in found.values() for group in groups]
