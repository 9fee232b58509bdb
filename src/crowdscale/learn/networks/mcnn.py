"""MCNN (Zhang et al., CVPR 2016): three columns with large, middle and small kernels, map at stride 4."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["MCNN"]

# (kernel, channels) of the four convolutions of each column; the first two are followed by a 2×2 pool.
COLUMNS = (
    ((9, 16), (7, 32), (7, 16), (7, 8)),
    ((7, 20), (5, 40), (5, 20), (5, 10)),
    ((5, 24), (3, 48), (3, 24), (3, 12)),
)


class MCNN(nn.Module):
    """Multi-column network of 0.13 M parameters; its features are the three columns' ends.

    It has no ImageNet weights and starts at random.

    Args:
        channels: Channels of the map: 1 for density, 11 for distance labels.
    """

    map_stride = feature_stride = 4
    feature_channels = sum(column[-1][1] for column in COLUMNS)

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.columns = nn.ModuleList(_column(column) for column in COLUMNS)
        self.merge = nn.Conv2d(self.feature_channels, channels, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return map and features at stride 4 of normalised (b, 3, h, w) images."""
        features = torch.cat([column(images) for column in self.columns], 1)
        return self.merge(features), features


def _column(widths: tuple[tuple[int, int], ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    inputs = 3
    for index, (kernel, outputs) in enumerate(widths):
        convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
        layers += [convolution, nn.ReLU(inplace=True)]
        if index < 2:
            layers.append(nn.MaxPool2d(2))
        inputs = outputs
    return nn.Sequential(*layers)
