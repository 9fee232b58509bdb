"""The optimiser of a phase: a peak rate for each part of the model, and layers that are not trained."""

from __future__ import annotations

import torch
from torch import nn

from crowdscale.errors import OptionError
from crowdscale.learn.model import AutoScale
from crowdscale.learn.networks.backbones import Backbone
from crowdscale.learn.training.options import TrainOptions

__all__ = ["new_optimizer"]


def new_optimizer(model: AutoScale, options: TrainOptions, phase: str) -> torch.optim.Optimizer:
    """Return the optimiser, with a peak rate each for backbone, rest of the network and scale net."""
    for layer in _early_layers(model, options.freeze_stride):
        layer.requires_grad_(False)
    scales = phase == "l2s"
    for parameter in model.scale_net.parameters():
        parameter.requires_grad_(scales)
    backbone, rest = _by_part(model)
    peaks = (options.l2s_lr, options.l2s_lr) if scales else (options.backbone_lr, options.lr)
    groups = [
        {"params": backbone, "lr": peaks[0], "peak": peaks[0]},
        {"params": rest, "lr": peaks[1], "peak": peaks[1]},
    ]
    if scales:
        groups.append({"params": list(model.scale_net.parameters()), "lr": options.lr, "peak": options.lr})
    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
    made: torch.optim.Optimizer = kinds[options.optimizer](
        [group for group in groups if group["params"]],
        betas=(options.beta1, 0.999),
        weight_decay=options.weight_decay,
    )
    return made


def _by_part(model: AutoScale) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the trained parameters of the backbone and all of the rest of the network."""
    backbone = list(model.network.backbone.parameters())
    inside = {id(parameter) for parameter in backbone}
    rest = [p for p in model.network.parameters() if id(p) not in inside]
    return [p for p in backbone if p.requires_grad], rest


def _early_layers(model: AutoScale, stride: int) -> list[nn.Module]:
    """Return the backbone's layers up to this stride, which are not trained.

    Raises:
        OptionError: The network has no backbone with strides.
    """
    backbone = model.network.backbone
    if not stride:
        return []
    if not isinstance(backbone, Backbone):
        raise OptionError("expected --freeze-stride 0 for a network other than fpn", str(stride))
    return backbone.early(stride)
