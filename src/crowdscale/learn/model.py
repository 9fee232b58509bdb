"""AutoScale: the paper on one page. First pass → dense region → learned factor → second pass, and their losses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdscale.learn.crops.batches import BLOCK, Batch, block_counts
from crowdscale.learn.losses import LossOptions, block_count_loss, choose_loss, twin_loss, whole_cells
from crowdscale.learn.losses.labels import mean_label_loss
from crowdscale.learn.networks.building import Network
from crowdscale.learn.networks.fpn import Prediction, mean_labels
from crowdscale.learn.scaling import (
    Centre,
    CentreOptions,
    ScaleNet,
    centre_loss,
    closeness,
    pool_regions,
    zoom,
)
from crowdscale.maps import Density, DistanceLabels
from crowdscale.maps.regions import RegionRule
from crowdscale.models.description import ZoomOptions
from crowdscale.points import Box, Points

__all__ = [
    "AutoScale",
    "LossOptions",
    "Losses",
    "decode",
    "run_in_batches_of",
    "whole_batches",
]

Codec = DistanceLabels | Density


class Losses(NamedTuple):
    """The weighted terms of Eq. 6 and 8; ``total`` is their sum. ``blocks`` holds the consistency of twins, too."""

    first: Tensor
    second: Tensor
    centre: Tensor
    blocks: Tensor

    @property
    def total(self) -> Tensor:
        """L_D or L_C."""
        return self.first + self.second + self.centre + self.blocks


def decode(fused: Tensor) -> Tensor:
    """Return a codec's input: the (b, 2, h, w) expected and arg-max label of logits, or a density as it is."""
    if fused.shape[1] == 1:
        return fused.float()
    return torch.cat([mean_labels(fused), fused.argmax(1, keepdim=True).float()], 1)


class AutoScale(nn.Module):
    """A counting network that learns to scale: Fig. 3 of the paper.

    Args:
        network: The counting network, shared by both passes.
        codec: Its map.
        rule: Finds the dense regions of a map.
        zoom_options: Limits of the zoom.
        centre_options: The law and the centre that the scale net learns.
        loss_options: Forms and weights of the losses.
    """

    def __init__(
        self,
        network: Network,
        codec: Codec,
        rule: RegionRule,
        zoom_options: ZoomOptions,
        centre_options: CentreOptions,
        loss_options: LossOptions,
    ) -> None:
        super().__init__()
        self.network, self.codec, self.rule = network, codec, rule
        self.zoom_options, self.centre_options, self.loss_options = zoom_options, centre_options, loss_options
        self.criterion = choose_loss(codec, loss_options, network.usual_loss)
        self.scale_net = ScaleNet(network.feature_channels, start=centre_options.wanted_factor**2)
        self.centre = Centre(centre_options.centre, centre_options.centre_rate)

    def forward(self, images: Tensor) -> Prediction:
        """Return the first pass over (b, 3, h, w) RGB images in 0…1."""
        prediction: Prediction = self.network(images)
        return prediction

    def losses(self, images: Tensor, batch: Batch, refine: bool, scale_only: bool = False) -> Losses:
        """Return the losses of a batch; ``refine`` adds the second pass and the centre loss.

        ``scale_only`` returns the centre loss alone: the counting network runs without gradients.
        """
        nothing = images.new_zeros((), dtype=torch.float32)
        if scale_only:
            with torch.no_grad():
                first = self.network(images)
            centre = self._refine(images, first, batch, second_pass=False)[1]
            return Losses(nothing, nothing, centre, nothing)
        first = self.network(images)
        first_loss = self.map_loss(first, batch["target"], batch["points"], batch["certain"])
        blocks = nothing
        if first.blocks is not None:
            blocks = self._block_loss(first.blocks, batch["blocks"], batch["counted"])
            if self.loss_options.consistency:
                blocks = blocks + self.loss_options.consistency * twin_loss(first.blocks)
        if not refine:
            return Losses(first_loss, nothing, nothing, blocks)
        second, centre = self._refine(images, first, batch)
        return Losses(first_loss, second, centre, blocks)

    def map_loss(
        self,
        prediction: Prediction,
        target: Tensor,
        points: Sequence[NDArray[Any]],
        certain: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of the map and, weighted, of every side output against a (b, …, h, w) target and the heads.

        ``certain`` are the (b, h, w) pixels that take part; None for all.
        """
        if prediction.own is not None:
            own: Tensor = self.criterion(prediction.own, target, points, in_cells=True, certain=certain)
            return own
        loss: Tensor = self.criterion(prediction.fused, target, points, certain=certain)
        for side in prediction.sides:
            loss = loss + self.loss_options.side_weight * self.criterion(
                side, target, points, certain=certain
            )
        return loss if prediction.fine is None else loss + mean_label_loss(prediction.fine, target, certain)

    def _block_loss(self, blocks: Tensor, counts: Tensor, counted: Tensor | None) -> Tensor:
        """Return the weighted loss of the blocks all of whose (b, h, w) pixels count."""
        options, cells = self.loss_options, whole_cells(counted, BLOCK)
        whole = None if cells is None else cells[:, 0]
        return options.block_weight * block_count_loss(blocks, counts, options.block_squares, whole)

    def dense_boxes(self, prediction: Prediction, counted: Tensor | None = None) -> list[tuple[int, Box]]:
        """Return (image index, box) of the dense regions of each image that has any, as if nobody were ignored."""
        outputs = decode(prediction.fused.detach()).cpu().numpy()
        if counted is not None:
            side = counted.shape[-1] // outputs.shape[-1]
            masks = whole_cells(counted, side)
            assert masks is not None  # there is a mask to make cells of
            outputs = self.codec.keep_counted(outputs, masks.cpu().numpy())
        most = self.loss_options.train_regions
        return [(i, box) for i, output in enumerate(outputs) for box in self.rule.find(output, most)]

    def area_factors(self, features: Tensor, boxes: Sequence[tuple[int, Box]]) -> Tensor:
        """Return the (m,) unclamped area factors q of regions; the features get no gradient."""
        pooled = pool_regions(features.detach(), boxes, self.network.feature_stride)
        with torch.autocast(features.device.type, enabled=False):
            factors: Tensor = self.scale_net(pooled.float())
        return factors

    def _refine(
        self, images: Tensor, first: Prediction, batch: Batch, second_pass: bool = True
    ) -> tuple[Tensor, Tensor]:
        """Return the second pass loss and the centre loss; without a region both are zero but reach every parameter.

        A process whose batch has no region still runs the scale net, so that the others do not wait.
        """
        points = [Points(xy) for xy in batch["points"]]
        regions = self.dense_boxes(first, batch["counted"])
        boxes = [(i, box) for i, box in regions if len(points[i].inside(box)) > 1]
        dense = bool(boxes)
        if not dense:
            height, width = images.shape[-2:]
            boxes = [(0, Box(0, 0, width, height))]
        area = self.area_factors(first.features, boxes)
        options = self.centre_options
        kept = (area.detach() >= options.keep_low) & (area.detach() <= options.keep_high)
        if not dense or not kept.any():
            return area.sum() * 0, area.sum() * 0
        boxes, area = [box for box, keep in zip(boxes, kept.tolist(), strict=True) if keep], area[kept]
        spacing = self._closeness(points, boxes).to(area.device)
        loss = centre_loss(spacing, area, self.centre.value.clone(), options.law) / len(images)
        self.centre.observe(spacing, area.detach(), options.law)
        second = self._second_pass(images, batch, boxes, area) if second_pass else area.sum() * 0
        return second, self.loss_options.centre_weight * loss

    def _closeness(self, points: list[Points], boxes: Sequence[tuple[int, Box]]) -> Tensor:
        """Return the (m,) closeness S of regions in pixels."""
        measure = self.centre_options.closeness
        values = torch.tensor([closeness(points[i], box, measure) for i, box in boxes]).float()
        far = self.centre_options.farthest * max(float(self.centre.value), 0.5)
        return values.clamp(0.5, far)  # heads marked twice have no spacing

    def _second_pass(
        self, images: Tensor, batch: Batch, boxes: Sequence[tuple[int, Box]], area: Tensor
    ) -> Tensor:
        """Return the loss of the enlarged regions, with targets encoded anew at their scale."""
        options = self.zoom_options
        most = area.new_tensor([options.max_pixels / max(1, box.area) for _, box in boxes])
        wanted = area * options.gain**2
        side = torch.minimum(wanted.clamp(options.area_low, options.area_high), most).sqrt()
        if not self.loss_options.zoom_gradient:
            side = side.detach()
        groups = list(self._canvases(boxes, side.detach().tolist()))
        losses = [
            len(group) * self._view_loss(images, batch, [boxes[k] for k in group], side[group], size)
            for group, size in groups
        ]
        return torch.stack(losses).sum() / len(boxes)

    def _canvases(
        self, boxes: Sequence[tuple[int, Box]], factors: list[float]
    ) -> Iterator[tuple[list[int], tuple[int, int]]]:
        """Yield the numbers of regions that run together, with the canvas's height and width.

        A fixed canvas takes all at once; otherwise each region runs alone, in whole strides.
        """
        canvas = self.loss_options.canvas
        if canvas:
            yield list(range(len(boxes))), (canvas, canvas)
            return
        stride = self.network.stride
        for k, ((_, box), factor) in enumerate(zip(boxes, factors, strict=True)):
            height, width = (stride * math.ceil(n * factor / stride) for n in (box.height, box.width))
            yield [k], (height, width)

    def _view_loss(
        self,
        images: Tensor,
        batch: Batch,
        boxes: Sequence[tuple[int, Box]],
        side: Tensor,
        size: tuple[int, int],
    ) -> Tensor:
        """Return the loss of regions enlarged by side factors onto canvases of one size."""
        height, width = size
        centres = np.array([_middle(box) for _, box in boxes])
        chosen, middles = [i for i, _ in boxes], torch.from_numpy(centres).to(images.device, side.dtype)
        views = zoom(images[chosen], middles, side, size)
        targets, counts, heads = [], [], []
        for i, factor, middle in zip(chosen, side.detach().tolist(), centres, strict=True):
            moved = Points((batch["points"][i] - middle) * factor + ((width - 1) / 2, (height - 1) / 2))
            targets.append(self._scaled_codec(factor).encode(moved, width, height))
            counts.append(block_counts(moved, width, height))
            heads.append(moved.xy)
        counted = _zoomed_mask(batch["counted"], chosen, middles, side, size)
        certain = self._certain(targets, counted, side)
        target = torch.from_numpy(np.stack(targets)).to(images.device)
        views = views.contiguous(memory_format=torch.channels_last)
        fixed = views.is_cuda and self.loss_options.canvas > 0
        number = whole_batches(len(views), len(images)) if fixed else len(views)
        prediction = run_in_batches_of(self.network, views, number)
        target = target if target.dtype == torch.uint8 else target[:, None]
        loss = self.map_loss(prediction, target, heads, certain)
        if prediction.blocks is not None:
            truth = torch.from_numpy(np.stack(counts)).to(loss.device)
            loss = loss + self._block_loss(prediction.blocks, truth, counted)
        return loss

    def _certain(
        self, targets: Sequence[NDArray[Any]], counted: Tensor | None, side: Tensor
    ) -> Tensor | None:
        """Return the pixels of enlarged regions whose target no head in an ignored pixel could change."""
        if counted is None:
            return None
        masks = [
            self._scaled_codec(factor).certain(target, mask)
            for target, mask, factor in zip(
                targets, counted.cpu().numpy(), side.detach().tolist(), strict=True
            )
        ]
        return torch.from_numpy(np.stack(masks)).to(counted.device)

    def _scaled_codec(self, factor: float) -> Codec:
        """Return the codec of an enlarged region: the same, or with its kernel or label edges enlarged, too."""
        if not self.loss_options.scaled_kernel:
            return self.codec
        return self.codec.scaled(factor)


def _zoomed_mask(
    counted: Tensor | None, chosen: Sequence[int], middles: Tensor, side: Tensor, size: tuple[int, int]
) -> Tensor | None:
    """Return the pixels of enlarged regions into which no ignored pixel is mixed; outside the crop all count."""
    if counted is None:
        return None
    ignored = (~counted[list(chosen)])[:, None].to(middles.dtype)
    return zoom(ignored, middles, side.detach(), size)[:, 0] == 0


def whole_batches(views: int, images: int) -> int:
    """Return the number of views rounded up to whole batches, so that few different numbers occur."""
    return math.ceil(views / images) * images


def run_in_batches_of(network: Network, views: Tensor, number: int) -> Prediction:
    """Return the prediction for (k, 3, h, w) views, k ≤ number, run as a batch of that number with repeated views.

    A GPU's library prepares convolutions for seconds for every new number of images. Statistics of normalisation that
    are still learned include the repeated views.
    """
    count = len(views)
    if count < number:
        views = views[torch.arange(number, device=views.device) % count].contiguous(
            memory_format=torch.channels_last
        )
    result: Prediction = network(views)
    if count == len(views):
        return result
    return Prediction(
        result.fused[:count],
        [side[:count] for side in result.sides],
        result.features[:count],
        None if result.blocks is None else result.blocks[:count],
        None if result.own is None else result.own[:count],
        None if result.fine is None else result.fine[:count],
    )


def _middle(box: Box) -> tuple[float, float]:
    return (box.left + box.right - 1) / 2, (box.top + box.bottom - 1) / 2
