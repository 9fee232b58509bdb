"""Counting network (AutoScale §3.3, Fig. 3): backbone → top-down pyramid → side outputs → fused output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from crowdscale.errors import OptionError
from crowdscale.learn.networks.backbones import VGG16, Lite
from crowdscale.learn.networks.folding import FoldedSequential

__all__ = [
    "FEATURE_STRIDE",
    "BlockHead",
    "CountingNetwork",
    "Prediction",
    "SubpixelHead",
    "class_probabilities",
]

FEATURE_STRIDE = 8
"""Default of the pixels per cell of the features for the scale net."""

COUNTED_STRIDE = 8
"""Stride of the level that people are counted from."""

BLOCK_STRIDE = 16
"""Side in pixels of a block, in which the auxiliary head counts people."""

DENSITY_CELL = 8
"""Default of the side in pixels of a cell, in which a density network's layers count people."""

WIDTHS = {1: 16, 2: 24, 4: 48, 8: 64, 16: 64, 32: 64}
"""Channels of the side features by stride: fewer at fine strides, which have more pixels."""


class Prediction(NamedTuple):
    """Output of a counting network for (b, 3, h, w) images."""

    fused: Tensor
    """(b, classes, h, w): label logits, or a density map with one channel."""
    sides: list[Tensor]
    """(b, classes, h/s, w/s) for each level's stride s, supervised like ``fused``."""
    features: Tensor
    """(b, c, h/s, w/s), s the feature stride: input of the scale net, side features and the fused output."""
    blocks: Tensor | None
    """(b, 2, h/16, w/16): zero-inflation logit and log-rate of people per block; None without that head."""
    own: Tensor | None = None
    """(b, classes, h/s, w/s): the map at the network's own stride, logits or people per cell, for the loss. None if the
    loss reads ``fused``."""
    fine: Tensor | None = None
    """(b, 1, h, w): mean labels of a ``SubpixelHead``, in classes; None without that head."""


def usual_widths(backbone: Lite | VGG16) -> tuple[int, ...]:
    """Return the default channels of the side features, finest level first."""
    widths = [WIDTHS[stride] for stride in backbone.strides]
    return (*widths[:-1], 64) if isinstance(backbone, VGG16) else tuple(widths)


def _levels(backbone: Lite | VGG16, classes: int, subpixel: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return strides and channels of the pyramid's levels: the backbone's, without the finest for a subpixel head."""
    if not subpixel:
        return backbone.strides, backbone.channels
    if classes == 1 or backbone.strides[0] != 2:
        raise OptionError(
            "expected distance labels of a backbone whose finest features are at stride 2",
            f"{classes} channels from stride {backbone.strides[0]} on",
        )
    return backbone.strides[1:], backbone.channels[1:]


def _check_widths(widths: Sequence[int], levels: int) -> tuple[int, ...]:
    """Return the widths if there is one of at least 1 for each level."""
    if len(widths) != levels or min(widths) < 1:
        raise OptionError(
            f"expected {levels} --widths of at least 1, finest level first", ",".join(map(str, widths))
        )
    return tuple(widths)


class SideLevel(nn.Module):
    """One level of the pyramid: lateral 1×1, sum with the coarser level, 3×3, side output 1×1."""

    def __init__(self, inputs: int, above: int, width: int, classes: int) -> None:
        super().__init__()
        self.lateral = nn.Conv2d(inputs, width, 1)
        self.reduce = nn.Conv2d(above, width, 1, bias=False) if above else None
        self.smooth = FoldedSequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        self.side = nn.Conv2d(width, classes, 1)
        if classes == 1:  # with default weights a map would start at thousands of people
            nn.init.normal_(self.side.weight, std=0.01)  # people per cell; see ``choose_cell``
            nn.init.zeros_(cast(Tensor, self.side.bias))

    def forward(self, feature: Tensor, above: Tensor | None) -> Tensor:
        """Return the (b, width, h, w) side feature."""
        x = self.lateral(feature)
        if self.reduce is not None and above is not None:
            x = x + enlarge(self.reduce(above), x)
        out: Tensor = self.smooth(x)
        return out


class BlockHead(nn.Module):
    """People in each 16-pixel block as a zero-inflated Poisson, from the stride-8 side feature."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = FoldedSequential(
            nn.Conv2d(width, 64, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.Conv2d(64, 2, 1),
        )

    def forward(self, feature: Tensor) -> Tensor:
        """Return (b, 2, h/16, w/16): logit of an empty block, log of the Poisson rate."""
        out: Tensor = self.layers(feature)
        return out


class SubpixelHead(nn.Module):
    """Mean labels at stride 2 from the level at stride 4, by sub-pixel convolution (Shi et al., CVPR 2016).

    It stands in for the level at stride 2.

    Args:
        inputs: Channels of the side feature at stride 4.
        width: Channels between its two convolutions.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        last = nn.Conv2d(width, 4, 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(cast(Tensor, last.bias))
        self.layers = nn.Sequential(nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU(inplace=True), last)

    def forward(self, feature: Tensor, expected: Tensor) -> Tensor:
        """Return (b, 1, 2h, 2w) mean labels: each cell's ``expected`` label, (b, 1, h, w), plus its quarters' offsets."""
        return functional.pixel_shuffle(expected + self.layers(feature).to(expected.dtype), 2)


class PaddedNetwork(nn.Module):
    """A network for images of any size: normalises, pads to whole strides, crops the map."""

    mean: Tensor
    std: Tensor

    stride = 32
    """Images are padded to whole multiples of this many pixels."""

    classes: int
    """Channels of the map: 1 is a density."""
    unit: Tensor
    """Of densities, stored with the weights: people per pixel of the layers' value 1 (``fpn``), or the factor of the map
    for the scale net (others)."""
    first_unit = 1.0
    """The unit of older weights, which do not store it."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Prediction:
        """Return the prediction for images of any size.

        Args:
            images: (b, 3, h, w) RGB in 0…1.

        Returns:
            The prediction at the images' own size; features and blocks cover the padded images.
        """
        height, width = images.shape[-2:]
        below, right = -height % self.stride, -width % self.stride
        normal = (images - self.mean) / self.std
        if below or right:
            normal = functional.pad(normal, (0, right, 0, below))
        predicted = self.predict(normal)
        if below or right:
            fine = predicted.fine if predicted.fine is None else predicted.fine[..., :height, :width]
            predicted = predicted._replace(fused=predicted.fused[..., :height, :width], fine=fine)
        return predicted

    def predict(self, normal: Tensor) -> Prediction:
        """Return the prediction for normalised images of whole strides."""
        raise NotImplementedError

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *more: Any) -> None:
        """Read the network's weights; older ones have no unit."""
        if self.classes == 1:
            state.setdefault(f"{prefix}unit", torch.tensor(self.first_unit))
        super()._load_from_state_dict(state, prefix, *more)


class CountingNetwork(PaddedNetwork):
    """Backbone with a top-down pyramid, a side output on each level and their 1×1 fusion.

    Args:
        backbone: ``Lite()``, ``Nano()`` or ``VGG16()``.
        classes: Channels of the map: 11 for distance labels, 1 for density.
        block_counts: Add the head that counts people in 16-pixel blocks.
        widths: Channels of the side features, finest level first; ``WIDTHS`` by default.
        subpixel: Channels of a ``SubpixelHead`` in place of the level at stride 2 (``research.shrink.distill``); 0: none.
        feature_stride: Pixels per cell of the features for the scale net.

    Raises:
        OptionError: The number of widths is not that of the levels, a width is below 1, or no level at stride 2 exists.

    A density holds a few thousandths of a person per pixel. The layers' values, which the scale net reads, are people per
    cell of ``density_cell`` × ``density_cell`` pixels. ``fused`` and ``sides`` are people per pixel.
    """

    usual_loss = "mse"
    """Default loss of its density."""

    def __init__(
        self,
        backbone: Lite | VGG16,
        classes: int,
        block_counts: bool = False,
        widths: Sequence[int] = (),
        subpixel: int = 0,
        feature_stride: int = FEATURE_STRIDE,
    ) -> None:
        super().__init__(backbone.mean, backbone.std)
        self.backbone = backbone
        self.classes = classes
        self.feature_stride = feature_stride
        self.strides, channels = _levels(backbone, classes, bool(subpixel))
        self.widths = _check_widths(widths or usual_widths(backbone)[-len(self.strides) :], len(self.strides))
        above = [*self.widths[1:], 0]
        self.levels = nn.ModuleList(
            SideLevel(c, a, w, classes) for c, a, w in zip(channels, above, self.widths, strict=True)
        )
        self.subpixel = SubpixelHead(self.widths[0], subpixel) if subpixel else None
        self.fuse = nn.Conv2d(classes * len(self.widths), classes, 1)
        self._average_sides()
        self.register_buffer("unit", torch.tensor(1 / DENSITY_CELL**2), persistent=classes == 1)
        self.block_level = self.strides.index(COUNTED_STRIDE)
        self.block_head = BlockHead(self.widths[self.block_level]) if block_counts else None
        self.feature_channels = sum(self.widths) + classes

    @property
    def density_cell(self) -> int:
        """Side in pixels of the cell in which the layers count people."""
        side: float = float(self.unit) ** -0.5
        return round(side)

    def choose_cell(self, pixels: int) -> None:
        """Change the cell of an untrained density network; its map still starts near zero people."""
        with torch.no_grad():
            for level in self.levels:
                cast(SideLevel, level).side.weight.mul_((pixels / self.density_cell) ** 2)
            self.unit.fill_(1 / pixels**2)

    def predict(self, normal: Tensor) -> Prediction:
        """Return the prediction for (b, 3, h, w) normalised images whose sides are multiples of ``stride``."""
        side_features = self.descend(self.backbone(normal))
        sides = [cast(SideLevel, level).side(x) for level, x in zip(self.levels, side_features, strict=True)]
        fused = self.fuse(torch.cat([enlarge(side, sides[0]) for side in sides], 1))
        # Labels as probabilities, which do not drift; a density as it is.
        scores = class_probabilities(fused.float()).to(fused.dtype) if self.classes > 1 else fused
        read = torch.cat(
            [_to_stride(self.feature_stride, x, s) for x, s in self._read(side_features, scores)], 1
        )
        blocks = self.block_head(side_features[self.block_level]) if self.block_head is not None else None
        if self.classes == 1:
            fused, sides = fused * self.unit, [side * self.unit for side in sides]
        fine = None
        if self.subpixel is not None:
            fine = enlarge(self.subpixel(side_features[0], mean_labels(fused)), normal)
        return Prediction(enlarge(fused, normal), sides, read, blocks, fine=fine)

    def descend(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Return the side features, finest level first, of the backbone's features, without those of levels left out."""
        above: Tensor | None = None
        sides: list[Tensor] = []
        for level, feature in zip(reversed(self.levels), features[: -len(self.levels) - 1 : -1], strict=True):
            above = level(feature, above)
            sides.insert(0, above)
        return sides

    def _read(self, side_features: list[Tensor], scores: Tensor) -> list[tuple[Tensor, int]]:
        """Return the scale net's inputs with their strides: the side features and the ``scores`` of the fused map."""
        return [*zip(side_features, self.strides, strict=True), (scores, self.strides[0])]

    def _average_sides(self) -> None:
        """Set the fusion to the plain mean of the side outputs."""
        count = len(self.levels)
        with torch.no_grad():
            self.fuse.weight.copy_(torch.eye(self.classes).repeat(1, count)[..., None, None] / count)
            assert self.fuse.bias is not None
            self.fuse.bias.zero_()


def class_probabilities(logits: Tensor) -> Tensor:
    """Return the softmax over dimension 1, written out: backends run their own over channels many times slower."""
    raised = (logits - logits.detach().amax(1, keepdim=True)).exp()
    return raised / raised.sum(1, keepdim=True)


def mean_labels(logits: Tensor) -> Tensor:
    """Return the (b, 1, h, w) mean label of (b, classes, h, w) logits, in float32."""
    ranks = torch.arange(logits.shape[1], device=logits.device, dtype=torch.float32)
    return (class_probabilities(logits.float()) * ranks.view(1, -1, 1, 1)).sum(1, keepdim=True)


def enlarge(x: Tensor, like: Tensor) -> Tensor:
    """Return ``x`` enlarged bilinearly to the size of ``like``, by a whole factor if possible: a constant of the graph."""
    (rows, columns), (high, wide) = ([int(side) for side in each.shape[-2:]] for each in (x, like))
    factor = high // rows
    if (rows, columns) == (high, wide):
        return x
    if (rows * factor, columns * factor) == (high, wide):
        return functional.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
    return functional.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


def _to_stride(wanted: int, x: Tensor, stride: int) -> Tensor:
    if stride < wanted:
        return functional.avg_pool2d(x, wanted // stride)
    if stride > wanted:
        return functional.interpolate(x, scale_factor=stride // wanted, mode="nearest")
    return x
