"""Narrowing: fewer channels in the fine levels of a trained pyramid, where pixels are many (AutoScale §3.3).

What a level reads is projected to its main directions, as far as its 3×3 convolution notices them (principal
components, weighted); of what it writes, the channels are kept from which the others follow best (backward
elimination), and all that reads them is refitted by least squares. Inside the backbone's blocks channels are kept in the
same way, by what the block's last convolution reads. The narrowed network is a start: train it on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, OptionError
from crowdscale.learn.crops.transforms import CropOptions, Crops
from crowdscale.learn.model import AutoScale
from crowdscale.learn.networks.backbones import InvertedResidual, Lite
from crowdscale.learn.networks.fpn import CountingNetwork, SideLevel
from crowdscale.learn.store import WEIGHTS, build_model, open_to_change, save_weights, write_description
from crowdscale.models.description import ModelConfig

__all__ = ["narrow_model", "slimmed"]

Matrix = NDArray[np.float64]

CROPS, PIXELS = 96, 4_000
"""Crops that are looked at, and feature pixels of each level and crop."""

COARSER = (16, 32)
"""Pixels per cell that the scale net's features may have instead of 8."""

RIDGE = 1e-6
"""Share of a covariance's mean variance that is added to its diagonal, so that it can be inverted."""


@dataclass(frozen=True)
class Spread:
    """How the channels of a feature vary over pixels."""

    mean: Matrix
    """(c,)."""
    covariance: Matrix
    """(c, c)."""

    @classmethod
    def of(cls, values: Sequence[Tensor]) -> Spread:
        """Return the spread of (n, c) values."""
        known = torch.cat(list(values)).double().numpy()
        covariance = np.cov(known, rowvar=False)
        covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        return cls(known.mean(axis=0), covariance)


@dataclass(frozen=True)
class Kept:
    """Channels of which a feature's others follow: y ≈ ``rest`` · y[``channels``] + ``constant``."""

    channels: list[int]
    rest: Matrix
    """(c, kept)."""
    constant: Matrix
    """(c,)."""


def narrow_model(
    model: str | Path,
    widths: Sequence[int],
    samples: Sequence[Sample],
    out: Path,
    seed: int = 0,
    hidden: Sequence[int] = (),
    feature_stride: int = 0,
) -> ModelConfig:
    """Write a model folder whose finest levels and blocks have fewer channels; ``export_folder`` writes its graphs.

    Args:
        model: A model of the network ``fpn``, by name or folder.
        widths: Channels of its levels, finest first; levels that are not named stay as they are. Only levels finer
            than that of the block counts (stride 8) can be narrowed.
        samples: Training photos, by which channels are chosen.
        out: The folder to write.
        seed: Draws the crops that are looked at.
        hidden: Channels inside the backbone's blocks, from the image on; those that are not named stay as they are.
            Unlike those of levels, they change the count.
        feature_stride: Pixels per cell of the features that the scale net reads: its regions' means over 14 × 14 cells
            stay nearly the same. 0 leaves it.

    Raises:
        OptionError: The model has no such levels or blocks, a number is not between 1 and the one there is, the stride is
            not 16 or 32 or finer than the model's, nothing is below what it has, or ``out`` is its folder.
        ModelError: The model is quantised.
        DataError: There are no photos.
    """
    wide, config = open_to_change(model, out, "narrow")
    network = wide.network
    if not isinstance(network, CountingNetwork):
        raise OptionError("expected a model of the network fpn", config.network)
    if network.subpixel and widths:
        raise OptionError(
            "expected a model with all its levels to narrow these",
            f"{config.name}, distilled",
            "Narrow, then distill",
        )
    levels, changed = _fewer("--widths", widths, network.widths)
    if changed and max(changed) >= network.block_level:
        raise OptionError(
            f"expected --widths of the first {network.block_level} levels alone", ",".join(map(str, widths))
        )
    inside = network.backbone.hidden if isinstance(network.backbone, Lite) else ()
    blocks, slimmer = _fewer("--hidden", hidden, inside)
    stride = feature_stride or network.feature_stride
    if stride not in (network.feature_stride, *(s for s in COARSER if s > network.feature_stride)):
        raise OptionError(f"expected a --feature-stride of {COARSER} above the model's", str(feature_stride))
    if not changed and not slimmer and stride == network.feature_stride:
        raise OptionError("expected --widths or --hidden below those of the model", "as many as it has")
    if not samples:
        raise DataError("expected training photos to choose channels by", "none", "Name some with --data")
    before = {"widths": list(network.widths), "hidden": list(inside)}
    if stride != network.feature_stride:
        before["feature_stride"] = [network.feature_stride]
    training = {**config.training, "narrowed_from": before}
    described = replace(
        config.unmeasured(),
        widths=levels,
        hidden=blocks,
        feature_stride=stride,
        training=training,
        files={},
    )
    slim = slimmed(wide, described, samples, seed)
    save_weights(slim.state_dict(), out)
    described = replace(described, feature_channels=slim.network.feature_channels)
    return write_description(described, out, (WEIGHTS,))


def slimmed(wide: AutoScale, described: ModelConfig, samples: Sequence[Sample], seed: int = 0) -> AutoScale:
    """Return the model that is described with the weights of ``wide``, whose levels or blocks may have more channels.

    Args:
        wide: A model of the network ``fpn``.
        described: The description of ``wide`` but for fewer channels of fine levels and inside blocks.
        samples: Training photos, by which channels are chosen.
        seed: Draws the crops that are looked at.
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


def _fewer(option: str, asked: Sequence[int], known: Sequence[int]) -> tuple[tuple[int, ...], list[int]]:
    """Return the numbers of channels to have and the places where they are fewer than those known."""
    wanted = (*asked, *known[len(asked) :])
    if len(wanted) != len(known) or not all(0 < new <= old for new, old in zip(wanted, known, strict=True)):
        limits = ",".join(map(str, known)) or "none, which this backbone has"
        raise OptionError(
            f"expected {option} of at most {limits}, each at least 1", ",".join(map(str, asked))
        )
    places = [place for place, (new, old) in enumerate(zip(wanted, known, strict=True)) if new < old]
    return wanted, places


@torch.no_grad()
def _narrow(
    wide: AutoScale, slim: AutoScale, changed: Sequence[int], slimmer: Sequence[int], crops: Crops
) -> None:
    """Give ``slim`` the weights of ``wide``, with fewer channels at the levels and in the blocks that changed."""
    network, narrowed = cast(CountingNetwork, wide.network), cast(CountingNetwork, slim.network)
    smooths = [cast(SideLevel, network.levels[number]).smooth for number in changed]
    last = [_block(network, number).layers[-2] for number in slimmer]
    read, written = _look(network, [*smooths, *last], smooths, crops)
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


def _look(
    network: CountingNetwork, readers: Sequence[nn.Module], writers: Sequence[nn.Module], crops: Crops
) -> tuple[list[Spread], list[Spread]]:
    """Return how what ``readers`` are given and what ``writers`` return varies over the crops."""
    random = torch.Generator().manual_seed(crops.seed)

    def rows(feature: Tensor) -> Tensor:
        flat = feature[0].flatten(1).T
        return flat[torch.randint(len(flat), (PIXELS,), generator=random)]

    read, written = [list[Tensor]() for _ in readers], [list[Tensor]() for _ in writers]
    hooks = [
        layer.register_forward_hook(lambda _, given, __, kept=kept: kept.append(rows(given[0])))
        for layer, kept in zip(readers, read, strict=True)
    ]
    hooks += [
        layer.register_forward_hook(lambda _, __, returned, kept=kept: kept.append(rows(returned)))
        for layer, kept in zip(writers, written, strict=True)
    ]
    network.eval()
    for number in range(len(crops)):
        pixels, _ = crops[number]
        network(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255)
    for hook in hooks:
        hook.remove()
    return [Spread.of(kept) for kept in read], [Spread.of(kept) for kept in written]


def _readers(wide: AutoScale, number: int) -> list[Matrix]:
    """The (outputs, c) weights of all that reads a level's side feature."""
    state = wide.state_dict()
    first, last = _place(wide, number)
    scale = state["scale_net.convolutions.0.weight"][:, first:last]
    names = [f"network.levels.{number}.side.weight"]
    names += [f"network.levels.{number - 1}.reduce.weight"] if number else []
    readers = [state[name][..., 0, 0] for name in names]
    return [reader.double().numpy() for reader in (*readers, scale.movedim(1, -1).flatten(0, -2))]


def _place(wide: AutoScale, number: int) -> tuple[int, int]:
    """First and last + 1 channel of a level's side feature among those that the scale net reads."""
    widths = cast(CountingNetwork, wide.network).widths
    return sum(widths[:number]), sum(widths[: number + 1])


def _choose(spread: Spread, readers: Sequence[Matrix], width: int) -> Kept:
    """Drop channels one by one: each time the one whose loss the readers notice least, relative to what they read."""
    covariance = spread.covariance
    noticed = np.zeros_like(covariance)
    for reader in readers:
        noticed += reader.T @ reader / np.trace(reader @ covariance @ reader.T)
    kept = np.arange(len(covariance))
    # All follow from those kept by coefficients B = C[:, kept] A, A = C[kept, kept]⁻¹. Dropping channel j of them adds
    # |B_j|² / A_jj, as noticed, to what is lost; A and G = Bᵀ N B without j differ from those with it by rank one and two.
    inverse, said = np.linalg.inv(covariance), noticed
    for _ in range(len(covariance) - width):
        place = int(np.argmin(np.diag(said) / np.diag(inverse)))
        row, column = inverse[place] / inverse[place, place], said[:, place]
        said = said - np.outer(column, row) - np.outer(row, column) + said[place, place] * np.outer(row, row)
        inverse = inverse - np.outer(inverse[:, place], row)
        said, inverse = (np.delete(np.delete(each, place, 0), place, 1) for each in (said, inverse))
        kept = np.delete(kept, place)
    rest = np.asarray(np.linalg.solve(covariance[np.ix_(kept, kept)], covariance[kept]).T, np.float64)
    return Kept(kept.tolist(), rest, spread.mean - rest @ spread.mean[kept])


def _narrow_output(state: dict[str, Tensor], wide: AutoScale, number: int, kept: Kept) -> None:
    """Keep the chosen channels of a level's side feature and refit what reads them."""
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
    """Project what a level's 3×3 convolution reads to the directions that it notices most."""
    level = f"network.levels.{number}."
    smooth = state[level + "smooth.0.weight"]
    gain = state[level + "smooth.1.weight"] * (state[level + "smooth.1.running_var"] + 1e-5).rsqrt()
    seen = (smooth * gain[:, None, None, None]).movedim(1, -1).flatten(0, -2).numpy()
    values, axes = np.linalg.eigh(seen.T @ seen)
    values = np.maximum(values, RIDGE * values.max())
    root, back = (axes * values**power @ axes.T for power in (0.5, -0.5))
    main = np.linalg.eigh(root @ spread.covariance @ root)[1][:, ::-1][:, :width]
    project, restore = main.T @ root, back @ main
    # Unlike directions would learn at unlike rates: all are scaled to the spread of the channels before.
    size = np.sqrt(
        np.trace(spread.covariance) / len(spread.mean) / np.diag(project @ spread.covariance @ project.T)
    )
    project, restore = project * size[:, None], restore / size
    unseen = torch.from_numpy(spread.mean - restore @ (project @ spread.mean))
    state[level + "smooth.1.running_mean"] -= torch.einsum("ocyx,c->o", smooth, unseen)
    state[level + "smooth.0.weight"] = torch.einsum("ocyx,ck->okyx", smooth, torch.from_numpy(restore))
    down = torch.from_numpy(project)
    for name in ("lateral.weight", "reduce.weight"):
        state[level + name] = (down @ state[level + name][..., 0, 0])[..., None, None]
    state[level + "lateral.bias"] = down @ state[level + "lateral.bias"]


def _narrow_block(state: dict[str, Tensor], number: int, spread: Spread, width: int) -> None:
    """Keep the channels inside a block from which the others follow, as far as its last convolution notices them."""
    block = f"network.backbone.blocks.{number}.layers."
    expands = f"{block}6.weight" in state
    own = (
        3 if expands else 0
    )  # the depthwise convolution, its normalisation, ReLU6, the last convolution, its own
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
