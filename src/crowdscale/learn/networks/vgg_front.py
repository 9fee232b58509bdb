"""The plain front of VGG16, with a pool after every stage: first part of CSRNet and of the Bayesian-loss counter."""

from __future__ import annotations

from torch import Tensor, nn

from crowdscale.learn.networks.backbones import VGG16, load_pretrained

__all__ = ["VGGFront"]


class VGGFront(nn.Module):
    """The first stages of VGG16 with a 2×2 max-pool between them; undilated.

    Args:
        stages: Number of stages: 4 end at stride 8, 5 at stride 16.
    """

    def __init__(self, stages: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for index, widths in enumerate(VGG16.stages[:stages]):
            if index:
                layers.append(nn.MaxPool2d(2))
            for width in widths:
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU(inplace=True)]
                inputs = width
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Return the (b, 512, h/s, w/s) features of normalised images."""
        features: Tensor = self.layers(images)
        return features

    def load_pretrained(self, weights: str | None) -> None:
        """Copy the first ImageNet convolutions of VGG16 from a safetensors file or a URL."""
        theirs = [m for m in load_pretrained("vgg16", weights).modules() if isinstance(m, nn.Conv2d)]
        ours = [m for m in self.modules() if isinstance(m, nn.Conv2d)]
        for mine, other in zip(ours, theirs, strict=False):  # there are more of theirs
            mine.load_state_dict(other.state_dict())
