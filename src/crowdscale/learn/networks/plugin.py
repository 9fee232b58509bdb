"""Learning to scale as a plug-in: any network with a map and features becomes a counting network of AutoScale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

from crowdscale.errors import ModelError
from crowdscale.learn.networks.fpn import PaddedNetwork, Prediction, class_probabilities

__all__ = ["MapNetwork", "PlugIn"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@runtime_checkable
class MapNetwork(Protocol):
    """Interface of a counting network that learns to scale.

    Optional members: ``mean`` and ``std`` (normalisation of RGB in 0…1, by default ImageNet's), ``backbone`` (a module
    with the backbone's learning rate), ``usual_loss`` (of a density with ``--loss auto``), ``load_pretrained(weights)``.
    """

    map_stride: int
    """Pixels per cell of the map; a power of two up to 32."""
    feature_stride: int
    """Pixels per cell of the features; a power of two up to 32."""
    feature_channels: int
    """Channels of the features."""

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return map and features of normalised (b, 3, h, w) images of whole strides.

        The map is (b, 1, h/s, w/s) people in each cell, so that its sum is the count, or (b, 11, h/s, w/s)
        logits of distance labels.
        """
        ...


class PlugIn(PaddedNetwork):
    """A counting network of AutoScale around any ``MapNetwork``.

    The map is enlarged to the image bilinearly, and densities are divided by the cells' area. With whole factors every
    cell has the same sum of bilinear weights, at the border too, so the count stays.

    Args:
        network: The network, already built.
        classes: Channels of its map.
    """

    block_head = None
    """There is no head of block counts."""

    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__(getattr(network, "mean", IMAGENET_MEAN), getattr(network, "std", IMAGENET_STD))
        if not isinstance(network, MapNetwork):
            raise ModelError(
                "expected a network with map_stride, feature_stride and feature_channels",
                type(network).__name__,
                "See docs/plug-in.md",
            )
        self.network, self.classes = network, classes
        self.map_stride, self.feature_stride = network.map_stride, network.feature_stride
        for name, value in (("map_stride", self.map_stride), ("feature_stride", self.feature_stride)):
            if value < 1 or self.stride % value:
                raise ModelError(f"expected {name} as a divisor of {self.stride}", str(value))
        self.feature_channels = network.feature_channels + classes
        self.first_unit = 1 / self.map_stride**2
        self.register_buffer("unit", torch.ones(()), persistent=classes == 1)
        self.usual_loss: str = getattr(network, "usual_loss", "mse")

    @property
    def backbone(self) -> nn.Module:
        """The module with the backbone's learning rate; an empty module if the network names none."""
        backbone: nn.Module = getattr(self.network, "backbone", None) or nn.ModuleList()
        return backbone

    def load_pretrained(self, weights: str | None) -> None:
        """Load ImageNet weights if the network can."""
        load: Callable[[str | None], None] | None = getattr(self.network, "load_pretrained", None)
        if load is not None:
            load(weights)

    def predict(self, normal: Tensor) -> Prediction:
        """Return the prediction for normalised images of whole strides."""
        own, features = self.network(normal)
        if own.shape[1] != self.classes:
            raise ModelError(f"expected a map of {self.classes} channels", f"{own.shape[1]}")
        fused = own
        if self.map_stride > 1:
            fused = functional.interpolate(
                own, scale_factor=float(self.map_stride), mode="bilinear", align_corners=False
            )
        if self.classes == 1:
            fused = fused / self.map_stride**2
        return Prediction(fused, [], self._read(own, features), None, own)

    def _read(self, own: Tensor, features: Tensor) -> Tensor:
        """Return the scale net's input: the features, and the map as people per cell or as probabilities."""
        scores = class_probabilities(own.float()).to(own.dtype) if self.classes > 1 else own * self.unit
        stride, wanted = self.map_stride, self.feature_stride
        if stride < wanted:
            scores = functional.avg_pool2d(scores, wanted // stride)
        elif stride > wanted:
            scores = functional.interpolate(scores, scale_factor=float(stride // wanted), mode="nearest")
        return torch.cat([features, scores], 1)
