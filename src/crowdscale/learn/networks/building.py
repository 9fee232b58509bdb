"""Counting networks by name: the pyramid over any backbone, published networks, and your own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from torch import nn

from crowdscale.errors import OptionError, unknown_name
from crowdscale.learn.networks.backbones import build_backbone, load_pretrained
from crowdscale.learn.networks.bl import BL
from crowdscale.learn.networks.csrnet import CSRNet
from crowdscale.learn.networks.fpn import FEATURE_STRIDE, CountingNetwork
from crowdscale.learn.networks.mcnn import MCNN
from crowdscale.learn.networks.plugin import PlugIn

__all__ = ["FPN", "NETWORKS", "Network", "build_network", "load_imagenet", "register_network"]

FPN = "fpn"
"""The pyramid of the paper: the only network with a choice of backbones and a head of block counts."""

Network = CountingNetwork | PlugIn

NETWORKS: dict[str, Callable[[int], nn.Module]] = {"mcnn": MCNN, "csrnet": CSRNet, "bl": BL}
"""Other networks: channels of the map → a ``MapNetwork``. Add your own before you build a model that names it."""


def build_network(
    name: str,
    backbone: str,
    channels: int,
    block_counts: bool = False,
    widths: Sequence[int] = (),
    hidden: Sequence[int] = (),
    subpixel: int = 0,
    feature_stride: int = FEATURE_STRIDE,
) -> Network:
    """Return an untrained counting network.

    Args:
        name: ``fpn`` or a name in ``NETWORKS``.
        backbone: Of ``fpn``.
        channels: Channels of the map: 1 for density, 11 for distance labels.
        block_counts: Of ``fpn``: add the head of block counts.
        widths: Of ``fpn``: channels of its levels, finest first; by default the usual ones.
        hidden: Of ``fpn``: channels inside the backbone's blocks, from the image on; by default the published ones.
        subpixel: Of ``fpn``: channels of the head in place of its level at stride 2; 0 for none.
        feature_stride: Of ``fpn``: pixels per cell of the features for the scale net.

    Raises:
        OptionError: The network or backbone is unknown, or the widths do not fit its levels or blocks.
    """
    if name == FPN:
        built = build_backbone(backbone, hidden)
        return CountingNetwork(built, channels, block_counts, widths, subpixel, feature_stride)
    if name not in NETWORKS:
        raise unknown_name("network", name, [FPN, *NETWORKS])
    return PlugIn(NETWORKS[name](channels), channels)


def load_imagenet(network: Network, backbone: str, weights: str | None) -> None:
    """Load ImageNet weights into a network, as far as they exist for it."""
    if isinstance(network, CountingNetwork):
        network.backbone = load_pretrained(backbone, weights)
    else:
        network.load_pretrained(weights)


def register_network(text: str) -> str:
    """Return the name of a network; ``module:Class`` is imported and added to ``NETWORKS``.

    Only options of the command line come here: the description of a model never imports a module.

    Raises:
        OptionError: The module or its class does not exist.
    """
    module, colon, name = text.partition(":")
    if not colon:
        return text
    here = str(Path.cwd())
    added = here not in sys.path
    if added:  # as `python -m` does: a user's file lies in the current folder
        sys.path.insert(0, here)
    try:
        builder = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise OptionError("expected --network as a name or module:Class", f"{text} ({error})") from error
    finally:
        if added:
            sys.path.remove(here)
    NETWORKS[text] = builder
    return text
