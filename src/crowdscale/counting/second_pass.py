"""The second pass (AutoScale §3.2 to §3.4): dense regions → zooms → enlarged views → one merged estimate.

One region by default. Several regions are joined where they touch, and views of similar size run in one batch. A third
pass may follow where an enlarged region is still too dense.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal, NamedTuple

import numpy as np

from crowdscale.arrays import Pixels
from crowdscale.backends import Backend, NetworkOutput
from crowdscale.counting.canvas import Canvas
from crowdscale.counting.dense import buckets, dense_boxes, join_touching, trusted_share
from crowdscale.counting.prediction import Region
from crowdscale.counting.tiles import Tile, TileOptions, plan_tiles
from crowdscale.errors import OptionError
from crowdscale.maps import Estimate
from crowdscale.maps.estimates import PublishedEstimate
from crowdscale.maps.regions import Reference, pool_region
from crowdscale.models.description import ModelConfig
from crowdscale.points import Box

__all__ = ["SecondPass", "estimate"]

STILL_DENSE = 1.25
"""A part of an enlarged region gets a third pass where the scale net asks for at least this zoom."""


class View(NamedTuple):
    """A region with its context, enlarged."""

    box: Box
    """The region in pixels of the photo as it is read."""
    context: Box
    """The part of the photo in the view, in the same pixels."""
    zoom: float
    capped: bool
    pixels: Pixels


class Enlarged(NamedTuple):
    """The result of one enlarged view."""

    estimate: Estimate
    """In pixels of the photo as it is read."""
    output: NetworkOutput | None
    """The network's output; None for a view in tiles."""


@dataclass(frozen=True)
class SecondPass:
    """Gives dense regions a second pass.

    Args:
        backend: Runs the model.
        config: The model's description, with the rule for dense regions.
        tiles: How a large view is cut.
        published: Blank regions and add second counts, as published, in place of the ownership rule.
        fixed: A zoom in place of the learned one, or a function of each box in pixels of the photo as it is read.
        regions: At most this many regions, or ``all``.
        third_pass: Whether a third pass follows where an enlarged region is still too dense.
    """

    backend: Backend
    config: ModelConfig
    tiles: TileOptions
    published: bool = False
    fixed: float | Callable[[Box], float] | None = None
    regions: int | Literal["all"] = 1
    third_pass: bool = False

    def refine(
        self,
        canvas: Canvas,
        tile: Tile,
        output: NetworkOutput,
        first: Estimate,
        reference: Reference | None,
    ) -> tuple[Estimate, list[Region]]:
        """Return the estimate of a tile after the second pass, and its regions.

        Args:
            canvas: The photo at its read scale.
            tile: The part of the photo that the first pass reads.
            output: The network's output of the first pass.
            first: The estimate of the first pass, in pixels of the photo as it is read.
            reference: Measures of the whole photo, for a tile.
        """
        frame = (canvas.height, canvas.width)
        views = [
            self._view(canvas, placed, self._zoom_area(output, box, placed))
            for box in self._boxes(output, tile, frame, reference)
            for placed in [box.shift(tile.context.left, tile.context.top)]
        ]
        if self.published:
            return self._add(output, first, views, self._run(views))
        views = [view for view in views if self.fixed or view.zoom >= self.config.zoom.least]
        enlarged = self._run(views)
        merged, regions = first, []
        for view, second in zip(views, enlarged, strict=True):
            last, inner = self._third_pass(canvas, view, second) if self.third_pass else (second, ())
            merged, before, after = self._merge(merged, view.box, last.estimate)
            regions.append(Region(view.box, view.zoom, before, after, view.capped, inner))
        return merged, regions

    def _merge(self, first: Estimate, box: Box, second: Estimate) -> tuple[Estimate, float, float]:
        """Return the merged estimate, and the people of the box before and after."""
        before = first.count_in(box)
        merged = first.replace(box, second)
        after = merged.count - (first.count - before)
        share = trusted_share(before, after, self.config.zoom.doubt)
        if share < 1:
            merged = first.blend(merged, share)
            after = merged.count - (first.count - before)
        return merged, before, after

    def _boxes(
        self, output: NetworkOutput, tile: Tile, frame: tuple[int, int], reference: Reference | None
    ) -> list[Box]:
        """The dense boxes in pixels of the tile's context, joined where their contexts touch."""
        most = output.output[0].size if self.regions == "all" else self.regions
        boxes = dense_boxes(self.config, output, tile.inner, most, reference)
        return join_touching(boxes, self._context, frame) if len(boxes) > 1 else boxes

    @property
    def _context(self) -> int:
        return 0 if self.published else self.config.zoom.context

    def _zoom_area(self, output: NetworkOutput, inside: Box, placed: Box) -> float:
        """The area factor q of a box: fixed, or learned and clamped.

        The box is ``inside`` in pixels of the network's view and ``placed`` in pixels of the photo as it is read.
        """
        if callable(self.fixed):
            zoom = self.fixed(placed)
            if not 0.1 <= zoom <= 10:
                raise OptionError("expected zooms from 0.1 to 10", str(zoom))
            return zoom**2
        if self.fixed is not None:
            return self.fixed**2
        limits = self.config.zoom
        pooled = pool_region(output.features, inside, self.config.feature_stride)
        learned = self.backend.area_factor(pooled) * limits.gain**2
        return float(np.clip(learned, limits.area_low, limits.area_high))

    def _view(self, canvas: Canvas, box: Box, zoom_area: float) -> View:
        """Enlarge a region with its context by √q, within the limit of pixels."""
        frame, limits = (canvas.height, canvas.width), self.config.zoom
        limit = limits.max_pixels / max(1, box.grow(limits.context, frame).area)
        zoom = float(np.sqrt(min(zoom_area, limit)))
        context = box.grow(self._context, frame)
        return View(box, context, zoom, zoom_area > limit, canvas.enlarge(context, zoom))

    def _run(self, views: Sequence[View]) -> list[Enlarged]:
        """Run the network on enlarged views, those of similar size in one batch."""
        results: dict[int, Enlarged] = {}
        for bucket in buckets([view.pixels.shape[:2] for view in views]):
            if len(bucket) > 1:
                outputs = self._run_batch([views[i].pixels for i in bucket])
                results |= {i: self._placed(views[i], out) for i, out in zip(bucket, outputs, strict=True)}
            else:
                results[bucket[0]] = self._run_one(views[bucket[0]])
        return [results[i] for i in range(len(views))]

    def _run_batch(self, views: Sequence[Pixels]) -> list[NetworkOutput]:
        """Run views in one batch, each padded right and below with the mean colour to the largest."""
        height, width = (max(view.shape[axis] for view in views) for axis in (0, 1))
        mean = np.rint(np.array(self.config.mean) * 255).astype(np.uint8)
        padded = []
        for view in views:
            canvas = np.broadcast_to(mean, (height, width, 3)).copy()
            canvas[: view.shape[0], : view.shape[1]] = view
            padded.append(canvas)
        outputs = self.backend.predict_batch(padded)
        return [output.cut(*view.shape[:2]) for output, view in zip(outputs, views, strict=True)]

    def _run_one(self, view: View) -> Enlarged:
        height, width = view.pixels.shape[:2]
        tiles = plan_tiles(width, height, self.tiles)
        if self.published or len(tiles) == 1:
            return self._placed(view, self.backend.predict(view.pixels))
        parts = [
            (tile.owned, self._estimate(output).place(tile.context, tile.context.width, tile.context.height))
            for tile in tiles
            for output in [self.backend.predict(np.ascontiguousarray(view.pixels[tile.context.slices]))]
        ]
        joined = parts[0][1].join(parts, width, height)
        return Enlarged(joined.place(view.context, width, height), None)

    def _placed(self, view: View, output: NetworkOutput) -> Enlarged:
        height, width = view.pixels.shape[:2]
        return Enlarged(self._estimate(output).place(view.context, width, height), output)

    def _estimate(self, output: NetworkOutput) -> Estimate:
        return estimate(self.config, output, self.published)

    def _third_pass(
        self, canvas: Canvas, view: View, second: Enlarged
    ) -> tuple[Enlarged, tuple[Region, ...]]:
        """Enlarge the largest dense part of an enlarged region once more where it is still too dense."""
        output, (left, top) = second.output, (view.context.left, view.context.top)
        height, width = view.pixels.shape[:2]
        boxes = dense_boxes(self.config, output, Box(0, 0, width, height)) if output is not None else []
        if output is None or not boxes:
            return second, ()
        x, y = width / view.context.width, height / view.context.height
        corners = (boxes[0].left / x, boxes[0].top / y, boxes[0].right / x, boxes[0].bottom / y)
        inner = Box(*map(round, corners)).shift(left, top).within(view.box)
        wanted = self._zoom_area(output, boxes[0], inner)
        if wanted < STILL_DENSE**2 or not inner.area:
            return second, ()
        third = self._view(canvas, inner, view.zoom**2 * wanted)
        (last,) = self._run([third])
        before = second.estimate.count_in(inner)
        merged = second.estimate.replace(inner, last.estimate)
        region = Region(inner, third.zoom, before, merged.count_in(inner), third.capped)
        return Enlarged(merged, output), (region,)

    def _add(
        self, output: NetworkOutput, first: Estimate, views: Sequence[View], enlarged: Sequence[Enlarged]
    ) -> tuple[Estimate, list[Region]]:
        """The published merge: regions are blanked in the first map and second counts added."""
        codec, blanked, current = self.config.codec, output.enlarged().output, first
        added: list[Estimate] = []
        regions = []
        for view, second in zip(views, enlarged, strict=True):
            before = current.count_in(view.box)
            blanked = codec.blank_output(blanked, view.box)
            added.append(second.estimate)
            rest: PublishedEstimate = codec.read_published(blanked)
            merged: Estimate = reduce(lambda total, part: total.add(part), added, rest)
            after = merged.count - (current.count - before)
            regions.append(Region(view.box, view.zoom, before, after, view.capped))
            current = merged
        return current, regions


def estimate(config: ModelConfig, output: NetworkOutput, published: bool = False) -> Estimate:
    """Return the people of a network's output, in pixels of its view.

    Args:
        config: Has the codec.
        output: The network's output.
        published: Read the map as the papers do.
    """
    if published:
        return config.codec.read_published(output.enlarged().output)
    return config.codec.estimate(output)
