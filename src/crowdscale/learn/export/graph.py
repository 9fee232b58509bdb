"""The counting network for inference: its output in few passes over memory, and as a graph (AutoScale §3.3).

Side outputs are mixed at their own resolution and enlarged step by step. The expected label is computed at the finest
level and then enlarged as one channel: labels are smooth, so count and heads differ by noise alone (measured in
research/results/speed-history.md), at a quarter of the time outside convolutions. Training keeps the full map, which its losses need.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from crowdscale.learn.losses import expected_blocks
from crowdscale.learn.model import decode
from crowdscale.learn.networks.building import Network
from crowdscale.learn.networks.folding import SamePadConv
from crowdscale.learn.networks.fpn import CountingNetwork, SideLevel, SubpixelHead, enlarge

__all__ = ["ServedNetwork", "expected_labels", "fuse", "infer"]

STEEPEST = 60.0
"""Logits are clamped to this, so that exponentials and sums stay finite without a maximum per pixel."""

Mixing = Callable[[Sequence[Tensor]], list[Tensor]]


def infer(network: Network, images: Tensor, mixing: Mixing | None = None) -> tuple[Tensor, ...]:
    """Return the arrays of a backend for photos: (output, features[, blocks]) in float32.

    Args:
        network: A trained network.
        images: (b, 3, h, w) RGB in 0…1, sides multiples of the stride.
        mixing: Side features to each level's share of the fused map; the network's own if not given.

    Returns:
        (b, 2, h, w) expected and arg-max label or (b, 1, h, w) density; (b, c, h/s, w/s) features, s their stride; and
        (b, h/16, w/16) people in blocks where the network has their head.
    """
    if not isinstance(network, CountingNetwork):
        predicted = network.predict((images - network.mean) / network.std)
        return decode(predicted.fused), predicted.features.float()
    sides = network.descend(network.backbone((images - network.mean) / network.std))
    fused = fuse(network, sides, mixing)
    if network.classes == 1:
        scores, output = _density(fused, network, images)
    else:
        scores, output = _labels(fused, network.subpixel, sides[0], images)
    wanted = network.feature_stride
    read = torch.cat([_to_stride(wanted, x, stride) for x, stride in network._read(sides, scores)], 1)
    outputs = output, read if read.dtype == torch.float32 else read.float()
    if network.block_head is None:
        return outputs
    return *outputs, expected_blocks(network.block_head(sides[network.block_level]))


def fuse(network: CountingNetwork, sides: Sequence[Tensor], mixing: Mixing | None = None) -> Tensor:
    """Return the fused map at the stride of the finest of the side features."""
    shares = mixing(sides) if mixing else _mix(network, sides)
    fused = shares[-1]
    for share in reversed(shares[:-1]):
        fused = share + enlarge(fused, share)
    return fused


def _density(fused: Tensor, network: CountingNetwork, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the scores for the scale net, and the density at the photo's size."""
    return fused, _to_photo((fused * network.unit).float(), images)


def _labels(
    fused: Tensor, head: SubpixelHead | None, finest: Tensor, images: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the probabilities of labels, and the expected and arg-max label at the photo's size."""
    probabilities, expected = expected_labels(fused)
    expected = head(finest, expected) if head else expected
    likeliest = fused.argmax(1, keepdim=True).float()
    likeliest = functional.interpolate(likeliest, size=images.shape[-2:], mode="nearest")
    return probabilities.to(fused.dtype), torch.cat([_to_photo(expected, images), likeliest], 1)


def expected_labels(fused: Tensor) -> tuple[Tensor, Tensor]:
    """Return the (b, k, h, w) probabilities of labels and their (b, 1, h, w) mean, in float32."""
    classes = int(fused.shape[1])
    with torch.autocast(fused.device.type, enabled=False):
        raised = fused.float().clamp(-STEEPEST, STEEPEST).exp()
        ranks = torch.tensor([[1.0] * classes, [*range(classes)]], device=fused.device)
        # A matrix product would be faster, but OpenVINO then errs in 8 bits.
        sums = functional.conv2d(raised, ranks.view(2, -1, 1, 1))
        total, ranked = sums.chunk(2, 1)
        return raised / total, ranked / total


def _to_photo(x: Tensor, images: Tensor) -> Tensor:
    """Enlarge one channel to the photo's size, given as a size: with a factor ONNX Runtime pads it to 16 channels."""
    if x.shape[-2:] == images.shape[-2:]:
        return x
    return functional.interpolate(x, size=images.shape[-2:], mode="bilinear", align_corners=False)


def _mix(network: CountingNetwork, sides: Sequence[Tensor]) -> list[Tensor]:
    """Return each level's side output times its share of the fusion; the first carries the bias."""
    weights = network.fuse.weight.chunk(len(network.levels), 1)
    biases = [network.fuse.bias, *[None] * (len(sides) - 1)]
    return [
        functional.conv2d(cast(SideLevel, level).side(x), weight, bias)
        for level, x, weight, bias in zip(network.levels, sides, weights, biases, strict=True)
    ]


def _to_stride(wanted: int, x: Tensor, stride: int) -> Tensor:
    """Return features at the wanted stride; the mean is a convolution per channel, which backends run several times faster."""
    if stride > wanted:
        return functional.interpolate(x, scale_factor=stride // wanted, mode="nearest")
    side, channels = wanted // stride, int(x.shape[1])
    if side == 1:
        return x
    weight = torch.ones(channels, 1, side, side, dtype=x.dtype, device=x.device) / side**2
    return functional.conv2d(x, weight, stride=side, groups=channels)


class ServedNetwork(nn.Module):
    """A trained counting network rewritten for export: ``infer`` with folded constants.

    Args:
        network: The network; it is copied.
        blocks: Whether people in blocks are an output.
    """

    def __init__(self, network: Network, blocks: bool) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).eval()
        self.mixers = nn.ModuleList()
        if isinstance(network, CountingNetwork):
            if not blocks:
                self.network.block_head = None
            self.mixers.extend(_mixers(network))
        _own_padding(self.network)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return (output, features[, blocks]) of (b, 3, h, w) images in 0…1."""
        return infer(self.network, images, self._mix)

    def _mix(self, sides: Sequence[Tensor]) -> list[Tensor]:
        return [mixer(side) for mixer, side in zip(self.mixers, sides, strict=True)]


def _mixers(network: CountingNetwork) -> list[nn.Conv2d]:
    """Return each level's side output and its share of the fusion as one 1×1 convolution; the first has the bias."""
    shares = network.fuse.weight.detach().double().chunk(len(network.levels), 1)
    bias = cast(Tensor, network.fuse.bias).detach().double()
    mixers: list[nn.Conv2d] = []
    for share, level in zip(shares, network.levels, strict=True):
        side = cast(SideLevel, level).side
        mixer = nn.Conv2d(side.in_channels, network.classes, 1, bias=not mixers)
        product = torch.einsum("ok,kiyx->oiyx", share[..., 0, 0], side.weight.detach().double())
        mixer.weight.data.copy_(product)
        bias = bias + share[..., 0, 0] @ cast(Tensor, side.bias).detach().double()
        mixers.append(mixer)
    cast(nn.Parameter, mixers[0].bias).data.copy_(bias)
    return mixers


class _OwnPadding(torch.autograd.Function):
    """A strided convolution with one-sided padding as its attribute, not as a copy of its input."""

    @staticmethod
    def forward(
        _: Any, x: Tensor, weight: Tensor, stride: int, groups: int, before: int, after: int
    ) -> Tensor:
        """Return the result of ``SamePadConv``."""
        padded = functional.pad(x, (before, after, before, after))
        return functional.conv2d(padded, weight, None, stride, 0, 1, groups)

    @staticmethod
    def symbolic(g: Any, x: Any, weight: Any, stride: int, groups: int, before: int, after: int) -> Any:
        """Return the convolution as one node of the graph."""
        return g.op(
            "Conv", x, weight, strides_i=[stride, stride], group_i=groups, dilations_i=[1, 1],
            pads_i=[before, before, after, after], kernel_shape_i=weight.type().sizes()[2:],
        )  # fmt: skip


class _PaddedConv(nn.Module):
    def __init__(self, original: SamePadConv) -> None:
        super().__init__()
        self.weight, self.stride, self.groups = original.weight, original.stride[0], original.groups
        total = original.kernel_size[0] - self.stride
        self.before, self.after = total // 2, total - total // 2

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = _OwnPadding.apply(  # type: ignore[no-untyped-call]
            x, self.weight, self.stride, self.groups, self.before, self.after
        )
        return out


def _own_padding(module: nn.Module) -> None:
    """Replace every strided convolution below ``module`` that pads a copy of its input."""
    for name, child in module.named_children():
        if isinstance(child, SamePadConv) and child.stride[0] > 1 and child.bias is None:
            setattr(module, name, _PaddedConv(child))
        else:
            _own_padding(child)
