"""The one model that the service counts with."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.backends import Backend, NetworkOutput, open_backend
from crowdscale.counting.options import Turn
from crowdscale.counting.prediction import Prediction
from crowdscale.counting.predictor import PredictOptions, Predictor
from crowdscale.errors import ImageError
from crowdscale.files.decoder import opened
from crowdscale.models.description import ModelConfig, read_config
from crowdscale.models.finding import find_model
from crowdscale.serve.line import CancelledWorkError
from crowdscale.video.turns import Turns

__all__ = ["Counter", "StoppableBackend", "TooLargeError"]

Pixels = NDArray[np.uint8]


class TooLargeError(ImageError):
    """A photo beyond the limits of the service."""


class StoppableBackend:
    """A backend that gives up before its next run where nobody waits for the result.

    Args:
        backend: A backend with the model loaded.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.stop = threading.Event()
        """Of the work that runs."""

    def predict(self, pixels: Pixels) -> NetworkOutput:
        """Run the counting network on (h, w, 3) RGB pixels."""
        return self._going().predict(pixels)

    def predict_batch(self, views: Sequence[Pixels]) -> list[NetworkOutput]:
        """Run the counting network on views of one size together."""
        return self._going().predict_batch(views)

    def area_factor(self, pooled: NDArray[np.float32]) -> float:
        """Run the scale net on (c, 14, 14) pooled features."""
        return self._going().area_factor(pooled)

    def _going(self) -> Backend:
        if self.stop.is_set():
            raise CancelledWorkError
        return self._backend


class Counter:
    """A model that is loaded once and counts one photo at a time.

    Args:
        folder: The model's folder.
        config: Its description.
        backend: A backend with the model loaded.
        max_pixels: Largest photo in pixels.
        opening: Name and threads of the backend, for another model.
    """

    def __init__(
        self,
        folder: Path,
        config: ModelConfig,
        backend: Backend,
        max_pixels: int,
        opening: tuple[str, int] = ("onnx", 0),
    ) -> None:
        self.max_pixels, self._opening = max_pixels, opening
        self._of_cameras: tuple[Path, str] | None = None
        self.turns = Turns()
        """Photos and frames of cameras are counted one at a time, in the order in which they came."""
        self._take(folder, config, backend)

    def _take(self, folder: Path, config: ModelConfig, backend: Backend) -> None:
        self.folder, self.config = folder, config
        self._bare, self._backend = backend, StoppableBackend(backend)
        self.predictor = Predictor(self._backend, config)

    def switch(self, folder: Path) -> None:
        """Count with the model of another folder from now on; nothing may be counted meanwhile. Raises ModelError."""
        config, (backend, threads) = read_config(folder), self._opening
        self._take(folder, config, open_backend(backend, folder, config, "cpu", threads))

    @classmethod
    def open(cls, model: str, max_pixels: int, backend: str = "onnx", threads: int = 0) -> Counter:
        """Load a model by name, folder or file. Raises ModelError."""
        folder = find_model(model)
        config = read_config(folder)
        opened_backend = open_backend(backend, folder, config, "cpu", threads)
        return cls(folder, config, opened_backend, max_pixels, (backend, threads))

    def count(self, photo: bytes, stop: threading.Event | None = None, turn: Turn = "off") -> Prediction:
        """Return the people in an encoded photo.

        Args:
            photo: A file's bytes.
            stop: Ends the count once it is set.
            turn: As in ``PredictOptions``.

        Raises:
            TooLargeError: The photo has too many pixels.
            ImageError: The bytes are no photo.
            CancelledWorkError: The event was set.
        """
        with self.until(stop or threading.Event()) as predictor:
            check_pixels(photo, self.max_pixels)
            return predictor.with_options(turn=turn).predict(photo)

    @contextmanager
    def until(self, stop: threading.Event) -> Iterator[Predictor]:
        """Lend the predictor for a turn; it raises CancelledWorkError once the event is set."""
        with self.turns.turn():
            self._backend.stop = stop
            yield self.predictor

    def for_cameras(self) -> Predictor:
        """Return a predictor with the model of now that no request stops; each of its frames needs a turn.

        Its rows name the model, so it keeps this one when the service takes another.
        """
        self._of_cameras = self.folder, self.config.name
        return Predictor(self._bare, self.config, PredictOptions(keep_map=False))

    @property
    def cameras_keep(self) -> str:
        """Name of the model that cameras count with, where it is another than the present one; else empty."""
        folder, name = self._of_cameras or (self.folder, "")
        return name if folder != self.folder else ""

    def describe(self) -> dict[str, Any]:
        """Return what the page and a client may know of the model."""
        config = self.config
        return {
            "name": config.name,
            "method": config.method,
            "precision": config.precision,
            "licence": config.licence,
            "calibrated": config.calibration is not None,
            "files": dict(config.files),
        }


def check_pixels(photo: bytes, most: int) -> None:
    """Refuse a photo by the size in its header, before it is decoded.

    Raises:
        TooLargeError: It has too many pixels.
        ImageError: The bytes are empty or no photo.
    """
    if not photo:
        raise ImageError("The file is empty")
    with opened(io.BytesIO(photo), "this file") as image:
        width, height = image.size
    if width * height > most:
        raise TooLargeError(
            f"The photo has {width * height / 1e6:.0f} megapixels, and this service takes {most / 1e6:g}",
            "",
            "Reduce it first",
        )
