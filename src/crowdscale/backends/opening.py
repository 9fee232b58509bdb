"""Opens a backend by name, and shares the cores among photos."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from crowdscale.backends.base import Backend, Opener
from crowdscale.errors import OptionError, need_learn, unknown_name
from crowdscale.models.description import ModelConfig

__all__ = ["BACKENDS", "open_backend", "share_cores"]

MOST_WORKERS = 4
"""Photos counted in parallel by default: each needs its own memory."""

BACKENDS: dict[str, str] = {
    "onnx": "crowdscale.backends.onnx:OnnxBackend",
    "openvino": "crowdscale.backends.openvino:OpenVinoBackend",
    "openvino-bf16": "crowdscale.backends.openvino:OpenVinoBfloat16",
    "torch": "crowdscale.learn.backend:TorchBackend",
}
"""The class of each backend, imported when it is opened."""


def open_backend(
    name: str, folder: Path, config: ModelConfig, device: str = "cpu", threads: int = 0
) -> Backend:
    """Return the named backend with the model loaded.

    Raises:
        OptionError: No backend has this name, it has no such device, or threads are below 0.
        MissingExtraError: The backend's libraries are not installed.
    """
    if name not in BACKENDS:
        raise unknown_name("backend", name, BACKENDS)
    if threads < 0:
        raise OptionError(
            "expected threads of at least 0", str(threads), "0 leaves the choice to the backend"
        )
    if name == "torch":
        need_learn("The backend torch")
    module, attribute = BACKENDS[name].split(":")
    opener: Opener = getattr(import_module(module), attribute)
    return opener(folder, config, device, threads)


def share_cores(
    backend: str, device: str = "cpu", workers: int = 0, threads: int = 0, photos: int = MOST_WORKERS
) -> tuple[int, int]:
    """Return how many photos to count in parallel, and the threads of each; zeros are chosen.

    The small convolutions of one photo leave cores idle: one photo a core, at most ``MOST_WORKERS``. OpenVINO's calls wait
    for each other, and a GPU has its own cores: one photo.

    Args:
        backend: Name of the backend.
        device: ``cpu`` or ``cuda``.
        workers: Photos in parallel.
        threads: Threads of each photo.
        photos: Number of photos.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    alone = backend.startswith("openvino") or device != "cpu"
    workers = workers or (1 if alone else min(cores, MOST_WORKERS, max(1, photos)))
    return workers, threads or max(1, cores // workers)
