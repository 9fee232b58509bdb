"""Joins the tiles of a photo and moves them into the pixels of the original: the last step of a prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from crowdscale.arrays import Maps
from crowdscale.backends import NetworkOutput
from crowdscale.counting.canvas import Canvas
from crowdscale.counting.options import MAP_CELL
from crowdscale.counting.prediction import Prediction, Region
from crowdscale.counting.tiles import Tile
from crowdscale.maps import Estimate
from crowdscale.maps.estimates import DensityEstimate
from crowdscale.models.description import ModelConfig
from crowdscale.points import Box, Points
from crowdscale.trust.appearance import Appearance

__all__ = ["TileResult", "assemble", "tile_map"]


class TileResult(NamedTuple):
    """The result of one tile, in pixels of the photo as it is read."""

    first: Estimate
    """By the first pass."""
    final: Estimate
    """After the second pass."""
    regions: list[Region]
    map: Maps | None
    """(rows, columns) of the owned box in cells of ``MAP_CELL`` pixels."""
    appearance: Appearance


def tile_map(config: ModelConfig, output: NetworkOutput, tile: Tile) -> Maps:
    """Return the map of what a tile owns: people in a cell, or the mean expected label.

    Args:
        config: The model's description.
        output: The network's output of the first pass.
        tile: The tile.
    """
    values = output.output[0]
    frame, inner = Box(0, 0, values.shape[1], values.shape[0]), tile.inner.in_cells(output.cell)
    cells = DensityEstimate(values, frame).in_cells(inner, map_cell(config) // output.cell)
    areas = np.outer(np.diff(cells.y_edges), np.diff(cells.x_edges))
    return config.codec.cell_values(cells.people, areas)


def map_cell(config: ModelConfig) -> int:
    """Return the side of a map's cell: the stride of the network's features, at most ``MAP_CELL``."""
    return min(config.feature_stride, MAP_CELL)


def assemble(
    config: ModelConfig,
    canvas: Canvas,
    size: tuple[int, int],
    tiles: Sequence[Tile],
    results: Sequence[TileResult],
) -> tuple[Prediction, Points | None]:
    """Return the prediction of a photo without its time, intervals and warnings, and its heads at the read scale.

    Args:
        config: The model's description.
        canvas: The photo at its read scale.
        size: (width, height) of the original.
        tiles: The tiles of the photo.
        results: The result of each tile.
    """
    first = _join(tiles, [each.first for each in results], canvas)
    final = _join(tiles, [each.final for each in results], canvas)
    scales = (canvas.width / size[0], canvas.height / size[1])
    x, y = 1 / scales[0], 1 / scales[1]
    regions = [region.scale(x, y, size) for each in results for region in each.regions]
    heads = final.points
    prediction = Prediction(
        count=final.count,
        points=_placed(config, heads, x, y, size),
        map=_join_maps(tiles, results, canvas, map_cell(config)),
        density=final.density,
        cell=(final.cell * x, final.cell * y),
        regions=tuple(sorted(regions, key=lambda region: -region.box.area)),
        first_pass_count=first.count,
        first_pass_points=_placed(config, first.points, x, y, size),
        size=size,
        model=config.name,
        read_scale=min(scales),
        calibrated_heads=config.confidence is not None and heads is not None,
        tiles=len(tiles),
        appearance=Appearance.joined([each.appearance for each in results]),
    )
    return prediction, heads


def _placed(
    config: ModelConfig, points: Points | None, x: float, y: float, size: tuple[int, int]
) -> Points | None:
    """Heads in pixels of the (width, height) original, moved by the model's offset, with calibrated confidences."""
    if points is None:
        return None
    if config.confidence is not None and points.confidence is not None:
        points = Points(points.xy, config.confidence.probability(points.confidence))
    points = points if (x, y) == (1, 1) else points.scale(x, y)
    return points if config.offset == (0, 0) else points.shift(*config.offset).within(*size)


def _join(tiles: Sequence[Tile], parts: Sequence[Estimate], canvas: Canvas) -> Estimate:
    if len(tiles) == 1:
        return parts[0]
    owned = [(tile.owned, part) for tile, part in zip(tiles, parts, strict=True)]
    return parts[0].join(owned, canvas.width, canvas.height)


def _join_maps(
    tiles: Sequence[Tile], results: Sequence[TileResult], canvas: Canvas, side: int
) -> Maps | None:
    """Return the (⌈h/side⌉, ⌈w/side⌉) map of the photo from those of its tiles, which begin on the grid."""
    if results[0].map is None or len(tiles) == 1:
        return results[0].map
    whole = np.zeros((-(-canvas.height // side), -(-canvas.width // side)), np.float32)
    for tile, result in zip(tiles, results, strict=True):
        top, left = tile.owned.top // side, tile.owned.left // side
        if result.map is not None:
            whole[top : top + result.map.shape[0], left : left + result.map.shape[1]] = result.map
    return whole
