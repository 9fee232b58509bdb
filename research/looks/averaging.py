"""Test-time averaging: a backend that also runs on mirrored and resized views, and returns the mean.

It wraps any backend, so tiles and second passes are averaged like the first. Densities and people in blocks are
averaged over all views, expected labels over the mirrored view alone: a label is a distance in pixels of its own
scale. The dense regions and the features for learning to scale are those of the plain view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crowdscale.arrays import Maps
from crowdscale.backends import Backend, NetworkOutput
from crowdscale.counting.predictor import Predictor
from crowdscale.errors import OptionError
from crowdscale.files.images import resize_image
from crowdscale.maps import BlockEstimate
from crowdscale.maps.blocks import BLOCK
from crowdscale.maps.estimates import DensityEstimate
from crowdscale.models.description import ModelConfig
from crowdscale.points import Box

__all__ = ["AveragingBackend", "AveragingOptions", "average_looks"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class AveragingOptions:
    """Further views that a backend averages over."""

    flip: bool = False
    """Add the mirrored view."""
    scales: tuple[float, ...] = ()
    """Side factors of resized views, for models that count by densities or blocks."""

    def __post_init__(self) -> None:
        if any(not 0.25 <= scale <= 4 for scale in self.scales) or 1.0 in self.scales:
            raise OptionError("expected --scales from 0.25 to 4 without 1", str(list(self.scales)))

    @property
    def wanted(self) -> bool:
        """Whether there is a further view."""
        return self.flip or bool(self.scales)


def average_looks(predictor: Predictor, options: AveragingOptions) -> Predictor:
    """Return a predictor that averages over further views; without calibrated intervals, which hold for one view.

    Args:
        predictor: A model with its options.
        options: The further views; without any the predictor stays as it is.

    Raises:
        OptionError: ``scales`` with a model that only locates heads.
    """
    if not options.wanted:
        return predictor
    backend = AveragingBackend(predictor.backend, predictor.config, options)
    return predictor.with_options(backend=backend, config=replace(predictor.config, calibration=None))


class AveragingBackend:
    """A backend that returns the mean over several views.

    Args:
        backend: Runs the model on each view.
        config: The model's description.
        options: The further views.

    Raises:
        OptionError: Scales are asked for of a model that only locates heads.
    """

    def __init__(self, backend: Backend, config: ModelConfig, options: AveragingOptions) -> None:
        if options.scales and not (config.codec.counts_pixels or config.codec.counts_blocks):
            raise OptionError(
                "expected a density or hybrid model for --scales", f"{config.name}, a points model"
            )
        self.backend, self.options, self.counts_pixels = backend, options, config.codec.counts_pixels

    def predict(self, pixels: Pixels) -> NetworkOutput:
        """Return the mean output for (h, w, 3) RGB pixels."""
        return self.predict_batch([pixels])[0]

    def predict_batch(self, views: Sequence[Pixels]) -> list[NetworkOutput]:
        """Return the mean output for each of some views of one size."""
        height, width = views[0].shape[:2]
        plain = self._run(views)
        scaled = []
        for scale in self.options.scales:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            results = self._run([resize_image(view, *size) for view in views])
            scaled.append([_to_size(each, size, (width, height), self.counts_pixels) for each in results])
        return [
            _mean(first, list(others), self.counts_pixels)
            for first, *others in zip(plain, *scaled, strict=True)
        ]

    def area_factor(self, pooled: Maps) -> float:
        """Return the area factor of (c, 14, 14) pooled features of the plain view."""
        return self.backend.area_factor(pooled)

    def _run(self, views: Sequence[Pixels]) -> list[NetworkOutput]:
        """Return the outputs for views, averaged with those for mirrored views if ``flip`` is set."""
        plain = [output.enlarged() for output in self.backend.predict_batch(views)]
        if not self.options.flip:
            return plain
        mirrored = self.backend.predict_batch([np.ascontiguousarray(view[:, ::-1]) for view in views])
        width = views[0].shape[1]
        return [
            _mean(first, [_mirrored(other.enlarged(), width)], True)
            for first, other in zip(plain, mirrored, strict=True)
        ]


def _mirrored(result: NetworkOutput, width: int) -> NetworkOutput:
    """Return the output for a mirrored view, mirrored back; blocks get their grid again."""
    output = np.ascontiguousarray(result.output[:, :, ::-1])
    if result.blocks is None:
        return result._replace(output=output)
    frame = BlockEstimate.over(result.blocks, width, output.shape[1])
    turned = BlockEstimate(frame.people[:, ::-1], width - frame.x_edges[::-1], frame.y_edges)
    return result._replace(output=output, blocks=_on_grid(turned, width, output.shape[1]))


def _to_size(
    result: NetworkOutput, size: tuple[int, int], wanted: tuple[int, int], density: bool
) -> NetworkOutput:
    """Return the output for a resized view in pixels of the plain view, with the same number of people."""
    frame = Box(0, 0, *wanted)
    output = result.output
    if density:
        output = DensityEstimate(output[0], Box(0, 0, *size)).place(frame, *size).density[None]
    if result.blocks is None:
        return result._replace(output=output)
    blocks = BlockEstimate.over(result.blocks, *size).place(frame, *size)
    return result._replace(output=output, blocks=_on_grid(blocks, *wanted))


def _on_grid(reading: BlockEstimate, width: int, height: int) -> Maps:
    """Return the people in each block of a view."""
    x = np.minimum(np.arange(-(-width // BLOCK) + 1) * BLOCK, width).astype(np.float64)
    y = np.minimum(np.arange(-(-height // BLOCK) + 1) * BLOCK, height).astype(np.float64)
    return reading.resample(x, y).astype(np.float32)


def _mean(first: NetworkOutput, others: list[NetworkOutput], maps: bool) -> NetworkOutput:
    """Return the mean of outputs; the first channel of the maps is averaged only with ``maps``."""
    output, blocks = first.output, first.blocks
    results = [first, *others]
    if maps:
        output = output.copy()
        output[0] = np.mean([each.output[0] for each in results], axis=0)
    if blocks is not None:
        rows, columns = (min(b.shape[axis] for b in _blocks(results)) for axis in (0, 1))
        blocks = np.mean([b[:rows, :columns] for b in _blocks(results)], axis=0)
    return NetworkOutput(output, first.features, blocks)


def _blocks(results: list[NetworkOutput]) -> list[Maps]:
    return [each.blocks for each in results if each.blocks is not None]
