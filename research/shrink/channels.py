"""Channels of a trained pyramid: measure how they vary, choose the ones to keep, refit the layers around them.

The input of a level is projected to the main directions that its 3×3 convolution weighs most (weighted principal
components). Of its output the channels stay that predict the others best (backward elimination), and least squares refits
all layers that read them. Inside the backbone's blocks channels are chosen in the same way, by the block's last
convolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdscale.data.sample import Sample
from crowdscale.learn.crops.transforms import CropOptions, Crops
from crowdscale.learn.model import AutoScale
from crowdscale.learn.networks.backbones import InvertedResidual, Lite
from crowdscale.learn.networks.fpn import CountingNetwork, SideLevel
from crowdscale.learn.store import build_model
from crowdscale.models.description import ModelConfig

__all__ = ["Spread", "slimmed"]

Matrix = NDArray[np.float64]

CROPS, PIXELS = 96, 2_000
"""Crops whose features are measured, and feature pixels per level and crop."""

RIDGE = 1e-6
"""Share of a covariance's mean variance that is added to its diagonal, so that it can be inverted."""


@dataclass(frozen=True)
class Spread:
    """Mean and covariance of the channels of a feature over pixels."""

    mean: Matrix
    """(c,)."""
    covariance: Matrix
    """(c, c)."""


class Sums:
    """Sums over the rows of a feature, crop by crop: all rows of all layers would take gigabytes."""

    def __init__(self) -> None:
        self.rows = 0
        self.total: Tensor | float = 0.0
        self.products: Tensor | float = 0.0

    def add(self, values: Tensor) -> None:
        """Add (n, c) values."""
        self.rows += len(values)
        self.total = self.total + values.double().sum(dim=0)
        self.products = self.products + values.double().T @ values.double()

    def spread(self) -> Spread:
        """Return the spread of all values."""
        mean = np.asarray(self.total) / self.rows
        covariance = np.asarray(self.products) / self.rows - np.outer(mean, mean)
        covariance *= self.rows / (self.rows - 1)
        covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        return Spread(mean, covariance)


@dataclass(frozen=True)
class Kept:
    """Channels that predict all channels of a feature: y ≈ ``rest`` · y[``channels``] + ``constant``."""

    channels: list[int]
    rest: Matrix
    """(c, kept)."""
    constant: Matrix
    """(c,)."""


def slimmed(wide: AutoScale, described: ModelConfig, samples: Sequence[Sample], seed: int = 0) -> AutoScale:
    """Return the described model with the weights of ``wide``, which has more channels in levels or blocks.

    Args:
        wide: A model of the network ``fpn``.
        described: The description of ``wide`` with fewer channels of fine levels and inside blocks.
        samples: Training photos, by which channels are chosen.
        seed: Draws the crops whose features are measured.
    """
    slim = build_model(described)
    network, narrowed = cast(CountingNetwork, wide.network), cast(CountingNetwork, slim.network)
    before, after = ([*each.widths] for each in (network, narrowed))
    changed = [number for number, width in enumerate(after) if width < before[number]]
    slimmer: list[int] = []
    if isinstance(network.backbone, Lite):
        inside = cast(Lite, narrowed.backbone).hidden
        slimmer = [number for number, width in enumerate(inside) if width < network.backbone.hidden[number]]
    crops = Crops(samples, [1.0] * len(samples), CropOptions(384), CROPS, seed)
    _narrow(wide, slim, changed, slimmer, crops)
    return slim


@torch.no_grad()
def _narrow(
    wide: AutoScale, slim: AutoScale, changed: Sequence[int], slimmer: Sequence[int], crops: Crops
) -> None:
    """Copy the weights of ``wide`` to ``slim``, with fewer channels in the changed levels and blocks."""
    network, narrowed = cast(CountingNetwork, wide.network), cast(CountingNetwork, slim.network)
    smooths = [cast(SideLevel, network.levels[number]).smooth for number in changed]
    last = [_block(network, number).layers[-2] for number in slimmer]
    read, written = _measure(network, [*smooths, *last], smooths, crops)
    state = {name: value.clone().double() for name, value in wide.state_dict().items()}
    for place, number in reversed(list(enumerate(changed))):
        width = narrowed.widths[number]
        kept = _choose(written[place], _readers(wide, number), width)
        _narrow_output(state, wide, number, kept)
        _narrow_input(state, number, read[place], width)
    for number, spread in zip(slimmer, read[len(changed) :], strict=True):
        _narrow_block(state, number, spread, cast(Lite, narrowed.backbone).hidden[number])
    slim.load_state_dict({name: state[name].to(value.dtype) for name, value in slim.state_dict().items()})


def _block(network: CountingNetwork, number: int) -> InvertedResidual:
    return cast(InvertedResidual, cast(Lite, network.backbone).blocks[number])


def _measure(
    network: CountingNetwork, readers: Sequence[nn.Module], writers: Sequence[nn.Module], crops: Crops
) -> tuple[list[Spread], list[Spread]]:
    """Return the spreads of the inputs of ``readers`` and of the outputs of ``writers`` over the crops."""
    random = torch.Generator().manual_seed(crops.seed)

    def rows(feature: Tensor) -> Tensor:
        flat = feature[0].flatten(1).T
        return flat[torch.randint(len(flat), (PIXELS,), generator=random)]

    read, written = [Sums() for _ in readers], [Sums() for _ in writers]
    hooks = [
        layer.register_forward_hook(lambda _, given, __, kept=kept: kept.add(rows(given[0])))
        for layer, kept in zip(readers, read, strict=True)
    ]
    hooks += [
        layer.register_forward_hook(lambda _, __, returned, kept=kept: kept.add(rows(returned)))
        for layer, kept in zip(writers, written, strict=True)
    ]
    network.eval()
    for number in range(len(crops)):
        pixels = crops[number].pixels
        network(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255)
    for hook in hooks:
        hook.remove()
    return [kept.spread() for kept in read], [kept.spread() for kept in written]


def _readers(wide: AutoScale, number: int) -> list[Matrix]:
    """Return the (outputs, c) weights of all layers that read a level's side feature."""
    state = wide.state_dict()
    first, last = _place(wide, number)
    scale = state["scale_net.convolutions.0.weight"][:, first:last]
    names = [f"network.levels.{number}.side.weight"]
    names += [f"network.levels.{number - 1}.reduce.weight"] if number else []
    readers = [state[name][..., 0, 0] for name in names]
    return [reader.double().numpy() for reader in (*readers, scale.movedim(1, -1).flatten(0, -2))]


def _place(wide: AutoScale, number: int) -> tuple[int, int]:
    """Return the first and last + 1 channel of a level's side feature in the scale net's input."""
    widths = cast(CountingNetwork, wide.network).widths
    return sum(widths[:number]), sum(widths[: number + 1])


def _choose(spread: Spread, readers: Sequence[Matrix], width: int) -> Kept:
    """Drop channels one by one: each time the one that changes the readers' outputs least, relative to their variance."""
    covariance = spread.covariance
    weight = np.zeros_like(covariance)
    for reader in readers:
        weight += reader.T @ reader / np.trace(reader @ covariance @ reader.T)
    kept = np.arange(len(covariance))
    # Kept channels predict all by coefficients B = C[:, kept] A, A = C[kept, kept]⁻¹. Dropping channel j adds the weighted
    # |B_j|² / A_jj to the loss. A and G = Bᵀ N B without j differ from those with it by rank one and two.
    inverse, gram = np.linalg.inv(covariance), weight
    for _ in range(len(covariance) - width):
        place = int(np.argmin(np.diag(gram) / np.diag(inverse)))
        row, column = inverse[place] / inverse[place, place], gram[:, place]
        gram = gram - np.outer(column, row) - np.outer(row, column) + gram[place, place] * np.outer(row, row)
        inverse = inverse - np.outer(inverse[:, place], row)
        gram, inverse = (np.delete(np.delete(each, place, 0), place, 1) for each in (gram, inverse))
        kept = np.delete(kept, place)
    rest = np.asarray(np.linalg.solve(covariance[np.ix_(kept, kept)], covariance[kept]).T, np.float64)
    return Kept(kept.tolist(), rest, spread.mean - rest @ spread.mean[kept])


def _narrow_output(state: dict[str, Tensor], wide: AutoScale, number: int, kept: Kept) -> None:
    """Keep the chosen channels of a level's side feature and refit the layers that read them."""
    level = f"network.levels.{number}."
    rest, constant = torch.from_numpy(kept.rest), torch.from_numpy(kept.constant)
    state[level + "smooth.0.weight"] = state[level + "smooth.0.weight"][kept.channels]
    for name in ("weight", "bias", "running_mean", "running_var"):
        state[f"{level}smooth.1.{name}"] = state[f"{level}smooth.1.{name}"][kept.channels]
    side = state[level + "side.weight"][..., 0, 0]
    state[level + "side.bias"] += side @ constant
    state[level + "side.weight"] = (side @ rest)[..., None, None]
    if number:
        finer = f"network.levels.{number - 1}."
        reduce = state[finer + "reduce.weight"][..., 0, 0]
        state[finer + "lateral.bias"] += reduce @ constant
        state[finer + "reduce.weight"] = (reduce @ rest)[..., None, None]
    first, last = _place(wide, number)
    scale = state["scale_net.convolutions.0.weight"]
    part = scale[:, first:last]
    state["scale_net.convolutions.0.bias"] += torch.einsum("ocyx,c->o", part, constant)
    part = torch.einsum("ocyx,ck->okyx", part, rest)
    state["scale_net.convolutions.0.weight"] = torch.cat([scale[:, :first], part, scale[:, last:]], 1)


def _narrow_input(state: dict[str, Tensor], number: int, spread: Spread, width: int) -> None:
    """Project the input of a level's 3×3 convolution to the directions that it weighs most."""
    level = f"network.levels.{number}."
    smooth = state[level + "smooth.0.weight"]
    gain = state[level + "smooth.1.weight"] * (state[level + "smooth.1.running_var"] + 1e-5).rsqrt()
    kernel = (smooth * gain[:, None, None, None]).movedim(1, -1).flatten(0, -2).numpy()
    values, axes = np.linalg.eigh(kernel.T @ kernel)
    values = np.maximum(values, RIDGE * values.max())
    root, back = (axes * values**power @ axes.T for power in (0.5, -0.5))
    main = np.linalg.eigh(root @ spread.covariance @ root)[1][:, ::-1][:, :width]
    project, restore = main.T @ root, back @ main
    # All directions get the spread of the channels before, so that they learn at the same rate.
    size = np.sqrt(
        np.trace(spread.covariance) / len(spread.mean) / np.diag(project @ spread.covariance @ project.T)
    )
    project, restore = project * size[:, None], restore / size
    unread = torch.from_numpy(spread.mean - restore @ (project @ spread.mean))
    state[level + "smooth.1.running_mean"] -= torch.einsum("ocyx,c->o", smooth, unread)
    state[level + "smooth.0.weight"] = torch.einsum("ocyx,ck->okyx", smooth, torch.from_numpy(restore))
    down = torch.from_numpy(project)
    for name in ("lateral.weight", "reduce.weight"):
        state[level + name] = (down @ state[level + name][..., 0, 0])[..., None, None]
    state[level + "lateral.bias"] = down @ state[level + "lateral.bias"]


def _narrow_block(state: dict[str, Tensor], number: int, spread: Spread, width: int) -> None:
    """Keep the channels inside a block that predict the others best, as its last convolution weighs them."""
    block = f"network.backbone.blocks.{number}.layers."
    expands = f"{block}6.weight" in state
    own = 3 if expands else 0  # depthwise convolution, normalisation, ReLU6, last convolution, normalisation
    before = [f"{block}0", f"{block}1"] if expands else ["network.backbone.stem.0", "network.backbone.stem.1"]
    last, norm = f"{block}{own + 3}.weight", f"{block}{own + 4}."
    weight = state[last][..., 0, 0]
    gain = state[f"{norm}weight"] * (state[f"{norm}running_var"] + 1e-3).rsqrt()
    kept = _choose(spread, [(gain[:, None] * weight).numpy()], width)
    for layer in (*before, f"{block}{own}", f"{block}{own + 1}"):
        for name in ("weight", "bias", "running_mean", "running_var"):
            if f"{layer}.{name}" in state:
                state[f"{layer}.{name}"] = state[f"{layer}.{name}"][kept.channels]
    state[f"{norm}running_mean"] -= weight @ torch.from_numpy(kept.constant)
    state[last] = (weight @ torch.from_numpy(kept.rest))[..., None, None]
