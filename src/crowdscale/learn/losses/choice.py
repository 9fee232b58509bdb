"""The loss of a map: options, losses by name, and one interface for maps of any stride."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from crowdscale.errors import OptionError, unknown_name
from crowdscale.learn.losses.bayesian import BayesianLoss
from crowdscale.learn.losses.density import DensityLoss
from crowdscale.learn.losses.distribution import DistributionLoss, Matching
from crowdscale.learn.losses.labels import CrossEntropy, DynamicCrossEntropy, FocalLoss, OrdinalLoss
from crowdscale.learn.losses.reduction import Reduction
from crowdscale.maps import Density, DistanceLabels

__all__ = ["DENSITY_LOSSES", "LABEL_LOSSES", "LossOptions", "MapLoss", "choose_loss", "whole_cells"]

CELL = 8
"""Smallest cell in pixels of the losses between heads and cells; finer maps are summed up first, for speed."""


@dataclass(frozen=True)
class LossOptions:
    """Forms and weights of the losses."""

    loss: str = "auto"
    """Labels: ``dynamic``, ``ce``, ``focal`` or ``ordinal``; density: ``mse``, ``bayesian`` or ``dm``;
    ``auto``: dynamic, and mse or the loss that the network was published with."""
    reduction: Literal["auto", "sum", "mean"] = "auto"
    """Over pixels: ``sum`` as published (it fits the learning rate 1e-7) or ``mean``. ``auto`` sums densities, whose
    values are small, and takes the mean of labels."""
    bracket_gradient: bool = True
    """Let the bracket of the dynamic cross-entropy carry gradient."""
    focus: float = 2.0
    """γ of the focal loss."""
    bayesian_sigma: float = 8.0
    """Bayesian loss: width of a head in pixels."""
    bayesian_background: float = 0.15
    """Bayesian loss: distance of the background from the nearest head, as a share of the shorter side."""
    transport_weight: float = 0.1
    """DM-Count: weight of optimal transport."""
    variation_weight: float = 0.01
    """DM-Count: weight of total variation."""
    transport_smoothing: float = 10.0
    """DM-Count: entropic smoothing in pixels²."""
    transport_iterations: int = 100
    """DM-Count: Sinkhorn iterations."""
    side_weight: float = 0.1
    """Weight of each side output's loss."""
    thinning: int = 1
    """The loss of labels reads every n-th pixel of every n-th row, from a changing offset: a quarter of the map at 2."""
    block_weight: float = 0.3
    """Weight of the auxiliary block counts."""
    block_squares: bool = True
    """Block counts: add absolute errors of squares and of the whole to the likelihood."""
    consistency: float = 0.0
    """Weight of the difference between the block counts of the two crops of a pair; needs --twins."""
    centre_weight: float = 1.0
    """Weight of the centre loss: λ1, λ2 of Eq. 6 and 8."""
    zoom_gradient: bool = False
    """Let the second pass's loss reach the scale net through the zoom (journal version)."""
    scaled_kernel: bool = False
    """Second pass: kernels and label edges grow with r."""
    canvas: int = 256
    """Side in pixels of the view of an enlarged region in training; 0: the whole region."""
    train_regions: int = 1
    """At most this many dense regions of a crop are enlarged in training, the largest first."""

    def __post_init__(self) -> None:
        names = ("auto", *LABEL_LOSSES, *DENSITY_LOSSES)
        if self.loss not in names:
            raise unknown_name("--loss", self.loss, names)
        if self.reduction not in ("auto", "sum", "mean"):
            raise OptionError("expected --reduction as auto, sum or mean", repr(self.reduction))
        if self.thinning < 1:
            raise OptionError("expected --thinning of at least 1", str(self.thinning))
        if self.canvas < 0 or self.canvas % 32:
            raise OptionError("expected --canvas as a multiple of 32, or 0", str(self.canvas))
        if self.consistency < 0:
            raise OptionError("expected --consistency of at least 0", str(self.consistency))
        self._check_matching()

    def _check_matching(self) -> None:
        """Check the options of the losses between heads and cells, and of their regions."""
        if self.bayesian_sigma <= 0 or self.bayesian_background <= 0 or self.transport_smoothing <= 0:
            raise OptionError(
                "expected --bayesian-sigma, --bayesian-background and --transport-smoothing above 0",
                f"{self.bayesian_sigma}, {self.bayesian_background}, {self.transport_smoothing}",
            )
        if self.transport_iterations < 1 or self.train_regions < 1:
            raise OptionError(
                "expected --transport-iterations and --train-regions of at least 1",
                f"{self.transport_iterations}, {self.train_regions}",
            )

    def over_pixels(self, usual: Reduction) -> Reduction:
        """Return the reduction, or for ``auto`` the usual one of the kind of map."""
        return usual if self.reduction == "auto" else self.reduction


class MapLoss(nn.Module):
    """A loss of a map of any stride against the truth at the photo's pixels."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(
        self,
        output: Tensor,
        target: Tensor,
        points: Sequence[NDArray[Any]],
        in_cells: bool = False,
        certain: Tensor | None = None,
    ) -> Tensor:
        """Return the loss.

        Args:
            output: (b, channels, h/s, w/s) logits, people per pixel or, with ``in_cells``, people per cell.
            target: (b, h, w) labels or (b, 1, h, w) people per pixel; s divides h and w.
            points: For each image its (n, 2) heads in pixels, with those around the frame.
            in_cells: Whether a density's values are people per cell, so that the map's sum is its count.
            certain: (b, h, w) pixels that take part; None for all. A cell takes part where all its pixels do.
        """
        raise NotImplementedError


class LabelMapLoss(MapLoss):
    """Scores of classes against the labels at cell centres, or at every n-th pixel with ``thinning``."""

    def __init__(self, loss: nn.Module, thinning: int = 1) -> None:
        super().__init__(loss)
        self.thinning = thinning

    def forward(
        self,
        output: Tensor,
        target: Tensor,
        points: Sequence[NDArray[Any]],
        in_cells: bool = False,
        certain: Tensor | None = None,
    ) -> Tensor:
        """Return the loss; see ``MapLoss``."""
        del points, in_cells
        stride, step = _stride(output, target), self.thinning
        top = left = stride // 2
        if stride == 1 and step > 1:
            # The offset follows from the target, so that a resumed run has the same.
            shown = target if certain is None else target * certain
            stride, (top, left) = step, divmod(int(shown.sum(dtype=torch.int64)) % step**2, step)
            output = output[..., top::step, left::step]
        picked = None if certain is None else certain[:, top::stride, left::stride]
        loss: Tensor = self.loss(output, target[:, top::stride, left::stride].long(), certain=picked)
        return loss


class DensityMapLoss(MapLoss):
    """Densities against the true density: averaged over cells, or with ``in_cells`` summed."""

    def forward(
        self,
        output: Tensor,
        target: Tensor,
        points: Sequence[NDArray[Any]],
        in_cells: bool = False,
        certain: Tensor | None = None,
    ) -> Tensor:
        """Return the loss; see ``MapLoss``."""
        del points
        stride = _stride(output, target)
        coarse = functional.avg_pool2d(target, stride) if stride > 1 else target
        kept = whole_cells(certain, stride)
        loss: Tensor = self.loss(output, coarse * stride**2 if in_cells else coarse, certain=kept)
        return loss


class HeadMapLoss(MapLoss):
    """Densities, as people in cells of 8 pixels or more, against the heads, without kernels."""

    def forward(
        self,
        output: Tensor,
        target: Tensor,
        points: Sequence[NDArray[Any]],
        in_cells: bool = False,
        certain: Tensor | None = None,
    ) -> Tensor:
        """Return the loss; see ``MapLoss``."""
        stride = _stride(output, target)
        people = output if in_cells else output * stride**2
        joined = max(1, CELL // stride)
        if joined > 1:
            people = functional.avg_pool2d(people.float(), joined) * joined**2
        loss: Tensor = self.loss(people, points, stride * joined, whole_cells(certain, stride * joined))
        return loss


def whole_cells(pixels: Tensor | None, side: int) -> Tensor | None:
    """Return the (b, 1, ⌈h/side⌉, ⌈w/side⌉) cells all of whose pixels are set in (b, h, w); None for None."""
    if pixels is None:
        return None
    unset = (~pixels[:, None]).float()
    return functional.max_pool2d(unset, side, ceil_mode=True) == 0


def _stride(output: Tensor, target: Tensor) -> int:
    return int(target.shape[-1]) // int(output.shape[-1])


def _labels(build: Callable[[LossOptions], nn.Module]) -> Callable[[LossOptions], MapLoss]:
    return lambda options: LabelMapLoss(build(options), options.thinning)


LABEL_LOSSES: dict[str, Callable[[LossOptions], MapLoss]] = {
    "dynamic": _labels(lambda o: DynamicCrossEntropy(o.over_pixels("mean"), o.bracket_gradient)),
    "ce": _labels(lambda o: CrossEntropy(o.over_pixels("mean"))),
    "focal": _labels(lambda o: FocalLoss(o.over_pixels("mean"), o.focus)),
    "ordinal": _labels(lambda o: OrdinalLoss(o.over_pixels("mean"))),
}
"""Losses of distance labels by name."""

DENSITY_LOSSES: dict[str, Callable[[LossOptions], MapLoss]] = {
    "mse": lambda o: DensityMapLoss(DensityLoss(o.over_pixels("sum"))),
    "bayesian": lambda o: HeadMapLoss(BayesianLoss(o.bayesian_sigma, o.bayesian_background)),
    "dm": lambda o: HeadMapLoss(
        DistributionLoss(
            Matching(o.transport_weight, o.variation_weight, o.transport_smoothing, o.transport_iterations)
        )
    ),
}
"""Losses of density maps by name."""


LOSSES = {Density.kind: DENSITY_LOSSES, DistanceLabels.kind: LABEL_LOSSES}
"""Losses by name, by kind of map."""

USUAL = {DistanceLabels.kind: "dynamic"}
"""The loss of ``auto`` by kind of map; a density's depends on the network."""


def choose_loss(codec: DistanceLabels | Density, options: LossOptions, usual: str = "mse") -> MapLoss:
    """Return the loss of a map.

    Args:
        codec: The map.
        options: Name and settings of the loss.
        usual: The loss of densities with ``auto``: the one that the network was published with.

    Raises:
        OptionError: The loss does not fit this kind of map.
    """
    losses = LOSSES[codec.kind]
    name = options.loss
    if name == "auto":
        name = USUAL.get(codec.kind, usual)
    if name not in losses:
        raise OptionError(f"expected a --loss of {codec.kind} out of {', '.join(losses)}", repr(name))
    return losses[name](options)
