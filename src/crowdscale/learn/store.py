"""Model folders for training: build the network of a description, read and write its weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import IO

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from crowdscale.errors import ModelError, OptionError
from crowdscale.files.writing import write_atomic
from crowdscale.learn.export.weight_steps import whole_steps
from crowdscale.learn.losses import LossOptions
from crowdscale.learn.model import AutoScale
from crowdscale.learn.networks.building import build_network
from crowdscale.learn.scaling import CentreOptions
from crowdscale.models.description import DESCRIPTION, ModelConfig, read_config
from crowdscale.models.finding import find_model, find_weights
from crowdscale.models.package import WEIGHTS, file_sha256

__all__ = [
    "WEIGHTS",
    "build_model",
    "inherit_weights",
    "load_weights",
    "open_to_change",
    "read_weights",
    "save_weights",
    "write_description",
]

FUSION = "network.fuse.weight"
"""The fusion layer of ``fpn``: (classes, classes · levels, 1, 1)."""

STEPS = ".steps"
"""End of the name of an int8 kernel's steps, one per output channel."""

UNIT = "network.unit"
"""The people that one unit of a density layer stands for."""


def build_model(
    config: ModelConfig, centre: CentreOptions | None = None, losses: LossOptions | None = None
) -> AutoScale:
    """Return the untrained AutoScale of a description.

    Raises:
        OptionError: Its network is unknown, or cannot be trained with this loss.
    """
    network = build_network(
        config.network,
        config.backbone,
        config.codec.channels,
        config.block_counts,
        config.widths,
        config.hidden,
        config.subpixel,
        config.feature_stride,
    )
    return AutoScale(
        network, config.codec, config.rule, config.zoom, centre or CentreOptions(), losses or LossOptions()
    )


def load_weights(model: AutoScale, path: Path) -> None:
    """Read weights into a model, as float32; see ``read_weights``.

    Raises:
        ModelError: The file is missing, damaged or of another network.
    """
    try:
        state = read_weights(path)
        missing, unexpected = model.load_state_dict(state, strict=False)
    except (SafetensorError, RuntimeError) as error:
        raise ModelError("expected weights of this network", f"{path} ({error})") from error
    lacking = [name for name in missing if not name.endswith("num_batches_tracked")]
    if lacking or unexpected:
        raise ModelError(
            "expected weights of this network", f"{path}, which lacks {lacking} and adds {unexpected}"
        )


def open_to_change(model: str | Path, out: Path, verb: str) -> tuple[AutoScale, ModelConfig]:
    """Return a model with its weights and description, to write a changed copy into another folder.

    Args:
        model: A model by name or folder.
        out: The folder that will be written.
        verb: The change, for messages.

    Raises:
        OptionError: ``out`` is the model's folder.
        ModelError: The model is missing, or quantised.
    """
    folder = find_model(model)
    config = read_config(folder)
    if folder.resolve() == out.resolve():
        raise OptionError("expected --out apart from the model", str(out))
    if config.precision != "float32":
        raise ModelError(f"expected a float32 model to {verb}", f"one in {config.precision}")
    opened = build_model(config)
    load_weights(opened, folder / WEIGHTS)
    return opened, config


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Return a file's weights as float32: kernels of 8 bits are multiplied by their steps.

    Raises:
        ModelError: There is no such file.
        SafetensorError: It is damaged.
    """
    stored = load_file(find_weights(path))
    steps = {name.removesuffix(STEPS): stored.pop(name) for name in list(stored) if name.endswith(STEPS)}
    return {name: value.float() * steps.get(name, 1) for name, value in stored.items()}


def inherit_weights(model: AutoScale, path: Path, backbone: bool = True) -> int:
    """Copy the tensors of another model that fit by name and shape, and return their number.

    A 1×1 fusion over more levels than this network has gives its part over the finest ones.

    Args:
        model: The model to change.
        path: Weights of the other model.
        backbone: Whether layers of the backbone are copied, too.

    Raises:
        ModelError: The file is missing or nothing fits.
    """
    ours, theirs = model.state_dict(), read_weights(path)
    left = ("centre.", "scale_net.") if backbone else ("centre.", "scale_net.", "network.backbone.")
    taken = {}
    for name in set(ours) & set(theirs):
        value = _finest(theirs[name], ours[name]) if name == FUSION else theirs[name]
        if value.shape == ours[name].shape and not name.startswith(left):
            taken[name] = value
    if not taken:
        raise ModelError("expected a model whose weights fit in part", f"none of {path} does")
    number = len(taken)
    if UNIT in ours and FUSION in taken:  # copied layers of a density keep their unit
        taken.setdefault(UNIT, torch.tensor(model.network.first_unit))
    elif UNIT in ours:
        taken[UNIT] = ours[UNIT]
    model.load_state_dict(taken, strict=False)
    return number


def _finest(theirs: torch.Tensor, ours: torch.Tensor) -> torch.Tensor:
    """Return the part of a fusion over the levels that this network has, too."""
    return theirs[:, : ours.shape[1]] if theirs.shape[0] == ours.shape[0] else theirs


def halved(value: torch.Tensor) -> torch.Tensor:
    """Return a tensor as float16, or as float32 where values exceed float16, as variances of VGG16's features do."""
    half = value.half()
    return half if bool((half.isfinite() | ~value.isfinite()).all()) else value.float()


def save_weights(state: dict[str, torch.Tensor], folder: Path) -> None:
    """Write ``weights.safetensors`` atomically: float16, int8 with steps if that loses nothing, float32 beyond float16."""
    kept: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        if held := whole_steps(value):
            kept[name], kept[name + STEPS] = (part.contiguous() for part in held)
        else:
            kept[name] = halved(value).contiguous()
    data = save(kept)

    def write(stream: IO[bytes]) -> None:
        stream.write(data)

    write_atomic(folder / WEIGHTS, write)


def write_description(config: ModelConfig, folder: Path, names: tuple[str, ...]) -> ModelConfig:
    """Write ``model.json`` with the sha256 of the named files; returns the description written."""
    described = replace(config, files={name: file_sha256(folder / name) for name in names})
    text = described.to_json().encode()
    write_atomic(folder / DESCRIPTION, lambda stream: stream.write(text))
    return described
