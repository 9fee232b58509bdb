"""CSRNet (Li et al., CVPR 2018): ten convolutions of VGG16 and a dilated back end, map at stride 8."""

from __future__ import annotations

from torch import Tensor, nn

from crowdscale.learn.networks.vgg_front import VGGFront

__all__ = ["CSRNet"]

BACK_END = (512, 512, 512, 256, 128, 64)
"""Channels of the 3×3 convolutions with dilation 2: configuration B of the paper."""


class CSRNet(nn.Module):
    """CSRNet, configuration B: 16.3 M parameters; its features are the back end's 64 channels.

    Args:
        channels: Channels of the map: 1 for density, 11 for distance labels.
    """

    map_stride = feature_stride = 8
    feature_channels = BACK_END[-1]

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.backbone = VGGFront(4)
        layers: list[nn.Module] = []
        inputs = 512
        for width in BACK_END:
            convolution = nn.Conv2d(inputs, width, 3, padding=2, dilation=2)
            nn.init.normal_(
                convolution.weight, std=0.01
            )  # as published: it tames the large features of VGG16
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
            layers += [convolution, nn.ReLU(inplace=True)]
            inputs = width
        self.back_end = nn.Sequential(*layers)
        self.output = nn.Conv2d(inputs, channels, 1)
        nn.init.normal_(self.output.weight, std=0.01)
        nn.init.zeros_(self.output.bias)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return map and features at stride 8 of normalised (b, 3, h, w) images."""
        features: Tensor = self.back_end(self.backbone(images))
        return self.output(features), features

    def load_pretrained(self, weights: str | None) -> None:
        """Start the front from ImageNet weights of VGG16."""
        self.backbone.load_pretrained(weights)
