"""AutoScale: the paper on one page. First pass → dense region → learned factor → second pass, and their losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from crowdscale.learn.losses import Reduction, block_count_loss, density_loss, dynamic_cross_entropy
from crowdscale.learn.networks.fpn import FEATURE_STRIDE, CountingNetwork, Prediction, class_probabilities
from crowdscale.learn.scaling import (
    Centre,
    CentreOptions,
    ScaleNet,
    centre_loss,
    closeness,
    pool_regions,
    zoom,
)
from crowdscale.learn.transforms import Batch, block_counts
from crowdscale.maps import Density, DistanceLabels
from crowdscale.points import Box, Points
from crowdscale.regions import RegionRule
from crowdscale.weights import ZoomOptions

__all__ = ["AutoScale", "LossOptions", "Losses", "decode", "expected_blocks"]


@dataclass(frozen=True)
class LossOptions:
    """The weights and forms of the losses."""

    reduction: Reduction | None = None
    """Over pixels: ``sum`` as published (which the learning rate 1e-7 fits) or ``mean``; None sums
    density, whose values are small, and takes the mean of labels."""
    bracket_gradient: bool = True
    """Whether the bracket of the dynamic cross-entropy carries gradient."""
    side_weight: float = 0.1
    """Weight of each side output's loss."""
    thinning: int = 1
    """The labels' loss reads every n-th pixel of every n-th row, from an offset that changes: a quarter of it at 2."""
    block_weight: float = 0.3
    """Weight of the auxiliary block counts."""
    centre_weight: float = 1.0
    """Weight of the centre loss: λ1, λ2 of Eq. 6 and 8."""
    zoom_gradient: bool = False
    """Let the second pass's loss reach the scale net through the zoom (journal version)."""
    canvas: int = 256
    """Side in pixels of the view of an enlarged region in training."""


class Losses(NamedTuple):
    """The terms of Eq. 6 and 8, already weighted; ``total`` is their sum."""

    first: Tensor
    second: Tensor
    centre: Tensor
    blocks: Tensor

    @property
    def total(self) -> Tensor:
        """L_D or L_C."""
        return self.first + self.second + self.centre + self.blocks


def decode(fused: Tensor) -> Tensor:
    """Return what a codec reads: (b, 2, h, w) expected and arg-max label of logits, or density as it is."""
    if fused.shape[1] == 1:
        return fused.float()
    probabilities = class_probabilities(fused.float())
    ranks = torch.arange(fused.shape[1], device=fused.device, dtype=torch.float32)
    expected = (probabilities * ranks.view(1, -1, 1, 1)).sum(1)
    return torch.stack([expected, fused.argmax(1).float()], 1)


def expected_blocks(blocks: Tensor) -> Tensor:
    """Return the (b, h, w) people in each block, (1 - π)·λ, of the (b, 2, h, w) block head's output."""
    known = blocks.float()
    return torch.sigmoid(-known[:, 0]) * known[:, 1].clamp(-8, 6).exp()


class AutoScale(nn.Module):
    """A counting network that learns to scale: Fig. 3 of the paper.

    Args:
        network: The counting network, shared by both passes.
        codec: Its map.
        rule: Where the map is dense.
        zoom_options: Clamp of the factor.
        centre_options: What the scale net is taught.
        loss_options: Forms and weights of the losses.
    """

    def __init__(
        self,
        network: CountingNetwork,
        codec: DistanceLabels | Density,
        rule: RegionRule,
        zoom_options: ZoomOptions,
        centre_options: CentreOptions,
        loss_options: LossOptions,
    ) -> None:
        super().__init__()
        self.network, self.codec, self.rule = network, codec, rule
        self.zoom_options, self.centre_options, self.loss_options = zoom_options, centre_options, loss_options
        self.scale_net = ScaleNet(network.feature_channels, start=centre_options.wanted_factor**2)
        self.centre = Centre(centre_options.centre, centre_options.centre_rate)

    def forward(self, images: Tensor) -> Prediction:
        """Return the first pass over (b, 3, h, w) RGB images in 0…1."""
        prediction: Prediction = self.network(images)
        return prediction

    def losses(self, images: Tensor, batch: Batch, refine: bool, scale_only: bool = False) -> Losses:
        """Return the losses of a batch; ``refine`` adds the second pass and the centre loss.

        ``scale_only`` leaves the centre loss alone: the counting network is run but not taught.
        """
        nothing = images.new_zeros((), dtype=torch.float32)
        if scale_only:
            with torch.no_grad():
                first = self.network(images)
            centre = self._refine(images, first, [Points(xy) for xy in batch["points"]], second_pass=False)[1]
            return Losses(nothing, nothing, centre, nothing)
        first = self.network(images)
        first_loss = self.map_loss(first, batch["target"])
        blocks = nothing
        if first.blocks is not None:
            blocks = self._block_loss(first.blocks, batch["blocks"])
        if not refine:
            return Losses(first_loss, nothing, nothing, blocks)
        points = [Points(xy) for xy in batch["points"]]
        second, centre = self._refine(images, first, points)
        return Losses(first_loss, second, centre, blocks)

    def map_loss(self, prediction: Prediction, target: Tensor) -> Tensor:
        """Loss of the fused output and, weighted, of every side output against a (b, …, h, w) target."""
        loss = self._output_loss(*self._thin(prediction.fused, target))
        size = target.shape[-1]
        for side in prediction.sides:
            stride = size // side.shape[-1]
            loss = loss + self.loss_options.side_weight * self._output_loss(
                side, self._coarse(target, stride)
            )
        return loss

    def _thin(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Every n-th pixel of labels; the offset follows from the target, so that a resumed run sees the same."""
        step = self.loss_options.thinning
        if step == 1 or isinstance(self.codec, Density):
            return output, target
        top, left = divmod(int(target.sum(dtype=torch.int64)) % step**2, step)
        return output[..., top::step, left::step], target[:, top::step, left::step]

    def _block_loss(self, blocks: Tensor, counts: Tensor) -> Tensor:
        return self.loss_options.block_weight * block_count_loss(blocks, counts)

    def _output_loss(self, output: Tensor, target: Tensor) -> Tensor:
        options = self.loss_options
        if isinstance(self.codec, Density):
            return density_loss(output, target, options.reduction or "sum")
        return dynamic_cross_entropy(
            output, target.long(), options.reduction or "mean", options.bracket_gradient
        )

    def _coarse(self, target: Tensor, stride: int) -> Tensor:
        """The target at a side output's stride: density a pixel averaged, labels picked at cell centres."""
        if stride == 1:
            return target
        if isinstance(self.codec, Density):
            return nn.functional.avg_pool2d(target, stride)
        return target[:, stride // 2 :: stride, stride // 2 :: stride]

    def dense_boxes(self, prediction: Prediction) -> list[tuple[int, Box]]:
        """Return (image index, box) of the dense region of each image that has one."""
        outputs = decode(prediction.fused.detach()).cpu().numpy()
        return [(i, box) for i, output in enumerate(outputs) for box in self.rule.find(output)]

    def area_factors(self, features: Tensor, boxes: Sequence[tuple[int, Box]]) -> Tensor:
        """Return the (m,) unclamped area factors q of regions; features are read, not moved."""
        pooled = pool_regions(features.detach(), boxes, FEATURE_STRIDE)
        with torch.autocast(features.device.type, enabled=False):
            factors: Tensor = self.scale_net(pooled.float())
        return factors

    def _refine(
        self, images: Tensor, first: Prediction, points: list[Points], second_pass: bool = True
    ) -> tuple[Tensor, Tensor]:
        """Second pass loss and centre loss; without a region both are zero but reach every parameter.

        A rank whose batch has no region still runs the scale net, so that the others do not wait.
        """
        boxes = [(i, box) for i, box in self.dense_boxes(first) if len(points[i].inside(box)) > 1]
        known = bool(boxes)
        if not known:
            height, width = images.shape[-2:]
            boxes = [(0, Box(0, 0, width, height))]
        area = self.area_factors(first.features, boxes)
        if not known:
            return area.sum() * 0, area.sum() * 0
        spacing = torch.tensor([closeness(points[i], box) for i, box in boxes], device=area.device).float()
        spacing = spacing.clamp(min=0.5)  # heads marked twice have no spacing to bring anywhere
        law = self.centre_options.law
        loss = centre_loss(spacing, area, self.centre.value.clone(), law) / len(images)
        self.centre.observe(spacing, area.detach(), law)
        second = self._second_pass(images, points, boxes, area) if second_pass else area.sum() * 0
        return second, self.loss_options.centre_weight * loss

    def _second_pass(
        self, images: Tensor, points: list[Points], boxes: Sequence[tuple[int, Box]], area: Tensor
    ) -> Tensor:
        """Loss of the enlarged regions, with targets made anew at their scale by the same codec."""
        options = self.zoom_options
        side = area.clamp(options.area_low, options.area_high).sqrt()
        if not self.loss_options.zoom_gradient:
            side = side.detach()
        size = self.loss_options.canvas
        centres = np.array([_middle(box) for _, box in boxes])
        chosen = images[[i for i, _ in boxes]]
        centre_tensor = torch.from_numpy(centres).to(images.device, side.dtype)
        views = zoom(chosen, centre_tensor, side, size)
        targets, counts = [], []
        for (i, _), factor, (x, y) in zip(boxes, side.detach().tolist(), centres, strict=True):
            middle = (size - 1) / 2
            moved = Points((points[i].xy - (x, y)) * factor + middle)
            targets.append(self.codec.encode(moved, size, size))
            counts.append(block_counts(moved, size, size))
        target = torch.from_numpy(np.stack(targets)).to(images.device)
        prediction = self.network(views.contiguous(memory_format=torch.channels_last))
        loss = self.map_loss(prediction, target if target.dtype == torch.uint8 else target[:, None])
        if prediction.blocks is not None:
            loss = loss + self._block_loss(
                prediction.blocks, torch.from_numpy(np.stack(counts)).to(loss.device)
            )
        return loss


def _middle(box: Box) -> tuple[float, float]:
    return (box.left + box.right - 1) / 2, (box.top + box.bottom - 1) / 2
