"""Weights in 8 bits: half the bytes of float16; they are read as float32, and all computation stays in float32.

A convolution's kernels have one step per output channel. A weight is a whole number of steps, from -127 to 127.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from crowdscale.learn.export.weight_steps import count_steps, is_large
from crowdscale.learn.store import WEIGHTS, open_to_change, save_weights, write_description
from crowdscale.models.description import ModelConfig

__all__ = ["compact_model"]


def compact_model(model: str | Path, out: Path) -> ModelConfig:
    """Write a model folder whose large kernels lie on steps of 8 bits; ``export_folder`` writes its graphs.

    Args:
        model: A model by name or folder.
        out: The folder to write.

    Raises:
        OptionError: ``out`` is the model's folder.
        ModelError: The model is quantised: it computes in 8 bits already.
    """
    opened, config = open_to_change(model, out, "compact")
    save_weights(_moved_to_steps(opened.state_dict()), out)
    return write_description(replace(config.unmeasured(), files={}), out, (WEIGHTS,))


def _moved_to_steps(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights with large kernels moved to whole numbers of steps."""
    moved = dict(state)
    for name, value in state.items():
        if is_large(value) and name.startswith("network."):
            numbers, steps = count_steps(value)
            moved[name] = numbers.float() * steps
    return moved
