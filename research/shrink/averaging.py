"""Averaging: one model from several of the same network, of which one was trained from the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from crowdscale.errors import OptionError
from crowdscale.learn.store import UNIT, WEIGHTS, read_weights, save_weights, write_description
from crowdscale.models.description import ModelConfig, read_config
from crowdscale.models.finding import find_model

__all__ = ["average_models"]


def average_models(models: Sequence[str | Path], shares: Sequence[float], out: Path) -> ModelConfig:
    """Write a model folder whose weights are the weighted mean of others' (Wortsman et al., 2022).

    The graphs are written by ``export_folder``, as for any folder.

    Args:
        models: Names or folders of models with the same network; the first one's description is kept.
        shares: Weights of the models, scaled to a sum of 1.
        out: The folder to write.

    Raises:
        OptionError: The number of shares differs from that of models, a share is not positive, or the models' units or
            gains differ.
        ModelError: A model is missing, or they are of different networks.
    """
    if len(models) != len(shares) or len(models) < 2 or min(shares) <= 0:
        raise OptionError(
            "expected two models or more and a positive share for each", f"{len(models)}, {list(shares)}"
        )
    folders = [find_model(model) for model in models]
    states = [read_weights(folder / WEIGHTS) for folder in folders]
    configs = [read_config(folder) for folder in folders]
    _check_alike(states, configs)
    parts = [share / sum(shares) for share in shares]
    save_weights(_mean(states, parts), out)
    parents = [
        {"share": round(part, 4), **config.training} for part, config in zip(parts, configs, strict=True)
    ]
    data = list(dict.fromkeys(line for config in configs for line in config.training.get("data", [])))
    training = {"data": data, "averaged": parents}
    licence = max((config.licence for config in configs), key=len)  # the one that names the most sets
    described = replace(configs[0].unmeasured(), training=training, licence=licence)
    return write_description(described, out, (WEIGHTS,))


State = dict[str, torch.Tensor]


def _check_alike(states: Sequence[State], configs: Sequence[ModelConfig]) -> None:
    """Refuse models of other networks, or with other units of density or gains."""
    shapes = [{name: value.shape for name, value in state.items()} for state in states]
    if any(shape != shapes[0] for shape in shapes):
        raise OptionError("expected models of the same network", "weights of other names or shapes")
    units = [float(state.get(UNIT, torch.ones(()))) for state in states]
    gains = [config.zoom.gain for config in configs]
    for name, values in (("density cell", units), ("gain of the zoom", gains)):
        if len(set(values)) > 1:
            raise OptionError(f"expected models of one {name}", ", ".join(f"{value:g}" for value in values))


def _mean(states: Sequence[State], parts: Sequence[float]) -> State:
    """Return the weighted mean of each tensor."""
    return {
        name: torch.stack([part * state[name] for part, state in zip(parts, states, strict=True)]).sum(0)
        for name in states[0]
    }
