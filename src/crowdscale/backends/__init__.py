"""Engines that run a model: one small file each, found by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import OptionError, unknown_name
from crowdscale.models.description import ModelConfig

__all__ = [
    "BACKENDS",
    "LABELS",
    "LIKELIEST",
    "PIXELS",
    "Backend",
    "FirstPass",
    "map_outputs",
    "network_input",
    "open_backend",
    "padded_input",
    "read_maps",
    "share_cores",
]

Array = NDArray[np.float32]

PIXELS = "pixels"
"""The input of a graph that reads (n, h, w, 3) bytes instead of ``images``, (n, 3, h, w) in 0…1: of 8-bit models."""

LABELS, LIKELIEST = "labels", "likeliest"
"""Outputs of a graph that tells (n, 1, H/s, W/s) expected and likeliest labels instead of ``output``: of 8-bit models."""

MOST_WORKERS = 4
"""Photos counted at a time unless asked for more: each needs memory of its own."""


class FirstPass(NamedTuple):
    """What the counting network says of one photo."""

    output: Array
    """(2, ⌈h/cell⌉, ⌈w/cell⌉) expected and arg-max label, or (1, h, w) density."""
    features: Array
    """(c, ⌈h⌉/s, ⌈w⌉/s), s the model's ``feature_stride``: what the scale net reads, over the padded photo."""
    blocks: Array | None = None
    """(⌈h⌉/16, ⌈w⌉/16) people in each block over the padded photo, where the model is a hybrid."""
    cell: int = 1
    """Side in pixels of the output's cells, from the top left."""
    seen: tuple[int, int] | None = None
    """(h, w) of the photo where cells are larger than pixels."""

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the photo."""
        return self.seen or (self.output.shape[1], self.output.shape[2])

    def cut(self, height: int, width: int) -> FirstPass:
        """Return what is said of the top left (height, width) pixels."""
        rows, columns = -(-height // self.cell), -(-width // self.cell)
        seen = self.seen and (height, width)
        return self._replace(output=np.ascontiguousarray(self.output[:, :rows, :columns]), seen=seen)

    def enlarged(self) -> FirstPass:
        """Return it with an output in pixels: expected labels between cells bilinear, the likeliest as they are."""
        if self.cell == 1:
            return self
        height, width = self.size
        sides = self.output.shape[2] * self.cell, self.output.shape[1] * self.cell
        whole = [
            cv2.resize(plane, sides, interpolation=how)[:height, :width]
            for plane, how in zip(self.output, (cv2.INTER_LINEAR, cv2.INTER_NEAREST), strict=True)
        ]
        return self._replace(output=np.stack(whole), cell=1, seen=None)


class Backend(Protocol):
    """An engine with a model loaded; both calls are safe from several threads."""

    def predict(self, pixels: NDArray[np.uint8]) -> FirstPass:
        """Run the counting network on (h, w, 3) RGB pixels."""
        ...

    def predict_batch(self, views: Sequence[NDArray[np.uint8]]) -> list[FirstPass]:
        """Run the counting network on views of one size together; as many answers in order."""
        ...

    def area_factor(self, pooled: Array) -> float:
        """Run the scale net on (c, 14, 14) pooled features; returns the unclamped q = r²."""
        ...


class Opener(Protocol):
    """A backend's constructor."""

    def __call__(self, folder: Path, config: ModelConfig, device: str, threads: int) -> Backend:
        """Load the model in ``folder``; ``threads`` 0 leaves the choice to the engine."""
        ...


BACKENDS: dict[str, str] = {
    "onnx": "crowdscale.backends.onnx:OnnxBackend",
    "openvino": "crowdscale.backends.openvino:OpenVinoBackend",
    "openvino-bf16": "crowdscale.backends.openvino:OpenVinoBfloat16",
    "torch": "crowdscale.learn.backend:TorchBackend",
}
"""Where each engine lives; imported when it is asked for."""


def open_backend(
    name: str, folder: Path, config: ModelConfig, device: str = "cpu", threads: int = 0
) -> Backend:
    """Return the named engine with the model loaded.

    Raises:
        OptionError: No engine has this name, the device is unknown to it, or threads are below 0.
        MissingExtraError: The engine's libraries are not installed.
    """
    if name not in BACKENDS:
        raise unknown_name("engine", name, BACKENDS)
    if threads < 0:
        raise OptionError("expected threads of at least 0", str(threads), "0 leaves the choice to the engine")
    module, attribute = BACKENDS[name].split(":")
    opener: Callable[..., Backend] = getattr(import_module(module), attribute)
    return opener(folder, config, device, threads)


def padded_input(views: Sequence[NDArray[np.uint8]], config: ModelConfig) -> Array:
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


def network_input(name: str, views: Sequence[NDArray[np.uint8]], config: ModelConfig) -> NDArray[Any]:
    """Return what a graph reads by its input of this name: ``padded_input``, or padded alike the bytes as they are.

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
    """Return by which of its outputs a graph tells its map: ``output``, or ``LABELS`` and ``LIKELIEST``."""
    return [LABELS, LIKELIEST] if LABELS in names else ["output"]


def read_maps(
    told: Sequence[Array], features: Array, blocks: Array | None, size: tuple[int, int], columns: int
) -> list[FirstPass]:
    """Return what a graph says of photos of one size.

    Args:
        told: Its ``map_outputs``.
        features: (n, c, H/s, W/s).
        blocks: (n, H/16, W/16), of a hybrid.
        size: (h, w) of the photos.
        columns: Their width once padded.
    """
    counted = [None] * len(features) if blocks is None else blocks
    if len(told) == 1:
        return [FirstPass(*seen).cut(*size) for seen in zip(told[0], features, counted, strict=True)]
    labels, likeliest = told
    count, _, rows, wide = labels.shape
    output = np.empty((count, 2, rows, wide), np.float32)
    output[:, :1] = labels
    _, _, high, across = likeliest.shape
    squares = output[:, 1].reshape(count, high, rows // high, across, wide // across)
    squares[:] = likeliest[:, 0, :, None, :, None]
    cell = columns // wide
    return [FirstPass(*seen, cell, size).cut(*size) for seen in zip(output, features, counted, strict=True)]


def share_cores(
    backend: str, device: str = "cpu", workers: int = 0, threads: int = 0, photos: int = MOST_WORKERS
) -> tuple[int, int]:
    """Return how many photos to count at a time, and with how many threads each; zeros are chosen.

    One photo's small convolutions leave further cores waiting: as many photos as there are cores, ``MOST_WORKERS`` at most.
    OpenVINO's calls wait for each other, and a GPU has all cores of its own: one.

    Args:
        backend: The engine's name.
        device: ``cpu`` or ``cuda``.
        workers: Photos at a time.
        threads: Threads of each.
        photos: How many there are.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    alone = backend.startswith("openvino") or device != "cpu"
    workers = workers or (1 if alone else min(cores, MOST_WORKERS, max(1, photos)))
    return workers, threads or max(1, cores // workers)
