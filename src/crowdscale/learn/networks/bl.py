"""The network of the Bayesian loss (BL, Ma et al., ICCV 2019): VGG, enlarged once, a small head, map at stride 8."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from crowdscale.learn.networks.vgg_front import VGGFront

__all__ = ["BL"]


class BL(nn.Module):
    """VGG16 to stride 16, bilinearly enlarged twice, two 3×3 convolutions and a 1×1: 16.2 M parameters.

    The paper's backbone is VGG19; this one is VGG16, whose ImageNet weights are available. The paper ends in a ReLU, which
    has no gradient where a map starts below zero; the absolute value has.

    Args:
        channels: Channels of the map: 1 for density, 11 for distance labels.
    """

    map_stride = feature_stride = 8
    feature_channels = 128
    usual_loss = "bayesian"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.backbone = VGGFront(5)
        self.head = nn.Sequential(
            nn.Conv2d(512, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, self.feature_channels, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.output = nn.Conv2d(self.feature_channels, channels, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return map and features at stride 8 of normalised (b, 3, h, w) images."""
        enlarged = functional.interpolate(
            self.backbone(images), scale_factor=2.0, mode="bilinear", align_corners=False
        )
        features: Tensor = self.head(enlarged)
        output: Tensor = self.output(features)
        return (output.abs() if self.channels == 1 else output), features

    def load_pretrained(self, weights: str | None) -> None:
        """Start the backbone from ImageNet weights of VGG16."""
        self.backbone.load_pretrained(weights)
