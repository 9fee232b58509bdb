"""Inputs and outputs of exported graphs, which every backend that runs them shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.arrays import Maps, Pixels
from crowdscale.errors import ModelError
from crowdscale.maps.output import NetworkOutput
from crowdscale.models.description import ModelConfig

__all__ = [
    "LABELS",
    "LIKELIEST",
    "PIXELS",
    "graph_file",
    "map_outputs",
    "network_input",
    "padded_input",
    "read_maps",
]

PIXELS = "pixels"
"""Input of an 8-bit graph: (n, h, w, 3) bytes in place of ``images``, (n, 3, h, w) in 0…1."""

LABELS, LIKELIEST = "labels", "likeliest"
"""Outputs of an 8-bit graph in place of ``output``: (n, 1, H/s, W/s) expected and arg-max labels."""


def graph_file(path: Path) -> Path:
    """Return the path of an exported graph. Raises ModelError where its model folder lacks it."""
    if path.is_file():
        return path
    folder = path.parent
    weights = (folder / "weights.safetensors").is_file()
    raise ModelError(
        f"expected {path.name} in the model folder {folder}",
        "weights without it" if weights else "none",
        f"Write it from them: crowdscale models export {folder}" if weights else "Copy the whole folder",
    )


def padded_input(views: Sequence[Pixels], config: ModelConfig) -> Maps:
    """Return (n, 3, H, W) RGB in 0…1, padded right and below to the stride with the model's mean colour.

    Args:
        views: (h, w, 3) RGB pixels, all of one size.
        config: The model's description.
    """
    height, width = views[0].shape[:2]
    stride = config.stride
    padded = np.empty((len(views), 3, height + -height % stride, width + -width % stride), np.float32)
    for image, pixels in zip(padded, views, strict=True):
        for channel, mean in enumerate(config.mean):
            image[channel, height:] = mean
            image[channel, :, width:] = mean
        cv2.split(pixels.astype(np.float32) * np.float32(1 / 255), list(image[:, :height, :width]))
    return padded


def network_input(name: str, views: Sequence[Pixels], config: ModelConfig) -> NDArray[Any]:
    """Return a graph's input: ``padded_input``, or the bytes with the same padding.

    Args:
        name: ``images``, or ``PIXELS``: (n, H, W, 3) RGB uint8.
        views: (h, w, 3) RGB pixels, all of one size.
        config: The model's description.
    """
    if name != PIXELS:
        return padded_input(views, config)
    height, width = views[0].shape[:2]
    below, right = -height % config.stride, -width % config.stride
    if len(views) == 1 and not (below or right):
        return views[0][None]
    padded = np.empty((len(views), height + below, width + right, 3), np.uint8)
    mean = np.rint(np.array(config.mean) * 255)
    for image, pixels in zip(padded, views, strict=True):
        image[:height, :width] = pixels
        image[height:] = mean
        image[:, width:] = mean
    return padded


def map_outputs(names: Iterable[str]) -> list[str]:
    """Return the outputs that hold a graph's map: ``output``, or ``LABELS`` and ``LIKELIEST``."""
    return [LABELS, LIKELIEST] if LABELS in names else ["output"]


def read_maps(
    maps: Sequence[Maps],
    features: Maps,
    blocks: Maps | None,
    size: tuple[int, int],
    columns: int,
    config: ModelConfig,
) -> list[NetworkOutput]:
    """Return a graph's outputs for each view of one size.

    Args:
        maps: Its ``map_outputs``.
        features: (n, c, H/s, W/s).
        blocks: (n, H/16, W/16), of a hybrid.
        size: (h, w) of the views.
        columns: Width of the padded views.
        config: The model's description.

    Raises:
        ModelError: The graph's features are others than the description names.
    """
    described = config.feature_channels or features.shape[1], columns // config.feature_stride
    if (features.shape[1], features.shape[3]) != described:
        raise ModelError(
            f"expected features of {described[0]} channels at stride {config.feature_stride} from {config.name}",
            f"{features.shape[1]} channels at stride {columns / features.shape[3]:g}",
            "Fetch or export the model again",
        )
    counted = [None] * len(features) if blocks is None else blocks
    if len(maps) == 1:
        return [NetworkOutput(*parts).cut(*size) for parts in zip(maps[0], features, counted, strict=True)]
    labels, likeliest = maps
    count, _, rows, wide = labels.shape
    output = np.empty((count, 2, rows, wide), np.float32)
    output[:, :1] = labels
    _, _, high, across = likeliest.shape
    squares = output[:, 1].reshape(count, high, rows // high, across, wide // across)
    squares[:] = likeliest[:, 0, :, None, :, None]
    cell = columns // wide
    return [
        NetworkOutput(*parts, cell, size).cut(*size) for parts in zip(output, features, counted, strict=True)
    ]
