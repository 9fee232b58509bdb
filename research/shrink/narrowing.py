"""Narrowing: fewer channels in the fine levels of a trained pyramid, which have the most pixels (AutoScale §3.3).

``channels`` chooses the channels. The narrowed network is a start for further training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, OptionError
from crowdscale.learn.networks.backbones import Lite
from crowdscale.learn.networks.building import Network
from crowdscale.learn.networks.fpn import CountingNetwork
from crowdscale.learn.store import WEIGHTS, open_to_change, save_weights, write_description
from crowdscale.models.description import ModelConfig
from research.shrink.channels import slimmed

__all__ = ["narrow_model"]

COARSER = (16, 32)
"""Pixels per cell of the scale net's features, in place of 8."""


@dataclass(frozen=True)
class Target:
    """Channels and stride of a narrowed network."""

    widths: tuple[int, ...]
    """Channels of the levels, finest first."""
    hidden: tuple[int, ...]
    """Channels inside the backbone's blocks, from the image on."""
    feature_stride: int
    """Pixels per cell of the scale net's features."""

    @classmethod
    def of(cls, network: CountingNetwork) -> Target:
        """Return the channels and the stride that a network has."""
        hidden = network.backbone.hidden if isinstance(network.backbone, Lite) else ()
        return cls(network.widths, hidden, network.feature_stride)


def narrow_model(
    model: str | Path,
    widths: Sequence[int],
    samples: Sequence[Sample],
    out: Path,
    seed: int = 0,
    hidden: Sequence[int] = (),
    feature_stride: int = 0,
) -> ModelConfig:
    """Write a model folder with fewer channels in its finest levels and blocks; ``export_folder`` writes its graphs.

    Args:
        model: A model of the network ``fpn``, by name or folder.
        widths: Channels of its levels, finest first; levels without a number stay. Only levels finer than that of the
            block counts (stride 8) can be narrowed.
        samples: Training photos, by which channels are chosen.
        out: The folder to write.
        seed: Draws the crops whose features are measured.
        hidden: Channels inside the backbone's blocks, from the image on; blocks without a number stay. Unlike those of
            levels, they change the count.
        feature_stride: Pixels per cell of the features for the scale net: the means of regions over 14 × 14 cells hardly
            change. 0 keeps it.

    Raises:
        OptionError: The numbers do not fit the model, nothing becomes smaller, or ``out`` is the model's folder.
        ModelError: The model is quantised.
        DataError: There are no photos.
    """
    wide, config = open_to_change(model, out, "narrow")
    target = _choose_target(wide.network, config, widths, hidden, feature_stride)
    if not samples:
        raise DataError("expected training photos to choose channels by", "none", "Name some with --data")
    before = Target.of(cast(CountingNetwork, wide.network))
    narrowed_from: dict[str, list[int]] = {"widths": list(before.widths), "hidden": list(before.hidden)}
    if target.feature_stride != before.feature_stride:
        narrowed_from["feature_stride"] = [before.feature_stride]
    described = replace(
        config.unmeasured(),
        widths=target.widths,
        hidden=target.hidden,
        feature_stride=target.feature_stride,
        training={**config.training, "narrowed_from": narrowed_from},
        files={},
    )
    slim = slimmed(wide, described, samples, seed)
    save_weights(slim.state_dict(), out)
    described = replace(described, feature_channels=slim.network.feature_channels)
    return write_description(described, out, (WEIGHTS,))


def _choose_target(
    network: Network, config: ModelConfig, widths: Sequence[int], hidden: Sequence[int], feature_stride: int
) -> Target:
    """Return the channels and the stride to have; refuse numbers that do not fit the network."""
    if not isinstance(network, CountingNetwork):
        raise OptionError("expected a model of the network fpn", config.network)
    if network.subpixel and widths:
        raise OptionError(
            "expected a model with all its levels to narrow these",
            f"{config.name}, distilled",
            "Narrow, then distill",
        )
    before = Target.of(network)
    levels = _fewer_in_levels(network, widths)
    blocks, _ = _fewer("--hidden", hidden, before.hidden)
    stride = feature_stride or before.feature_stride
    if stride not in (before.feature_stride, *(s for s in COARSER if s > before.feature_stride)):
        raise OptionError(f"expected a --feature-stride of {COARSER} above the model's", str(feature_stride))
    target = Target(levels, blocks, stride)
    if target == before:
        raise OptionError("expected --widths or --hidden below those of the model", "as many as it has")
    return target


def _fewer_in_levels(network: CountingNetwork, widths: Sequence[int]) -> tuple[int, ...]:
    """Return the channels of the levels to have; only levels finer than that of the block counts may lose some."""
    levels, changed = _fewer("--widths", widths, network.widths)
    if changed and max(changed) >= network.block_level:
        raise OptionError(
            f"expected --widths of the first {network.block_level} levels alone", ",".join(map(str, widths))
        )
    return levels


def _fewer(option: str, asked: Sequence[int], present: Sequence[int]) -> tuple[tuple[int, ...], list[int]]:
    """Return the numbers of channels to have, and the places where they are below the present ones."""
    wanted = (*asked, *present[len(asked) :])
    fits = len(wanted) == len(present)
    if not fits or not all(0 < new <= old for new, old in zip(wanted, present, strict=True)):
        limits = ",".join(map(str, present)) or "none, which this backbone has"
        raise OptionError(
            f"expected {option} of at most {limits}, each at least 1", ",".join(map(str, asked))
        )
    places = [place for place, (new, old) in enumerate(zip(wanted, present, strict=True)) if new < old]
    return wanted, places
