"""Predictor: photo → first pass → dense region → learned factor → second pass → merged people (Fig. 3)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import IO, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.backends import Backend, FirstPass, open_backend
from crowdscale.errors import ImageError, OptionError
from crowdscale.images import Photo, read_image, resize_image
from crowdscale.maps import HybridLabels, HybridReading
from crowdscale.maps.blocks import BLOCK
from crowdscale.maps.reading import DensityReading
from crowdscale.points import Box, Points
from crowdscale.regions import pool_region
from crowdscale.result import Prediction, Region
from crowdscale.weights import ModelConfig, find_model, read_config

__all__ = ["MAX_PIXELS", "PredictOptions", "Predictor", "load"]

MAX_PIXELS = 6_000_000
"""A photo with more pixels is reduced to this many before it is predicted (about 3 GB at the peak)."""

Pixels = NDArray[np.uint8]
Reading = Any  # PointsReading, DensityReading or HybridReading, never mixed


@dataclass(frozen=True)
class PredictOptions:
    """How photos are predicted."""

    refine: bool = True
    """Enlarge the dense region and predict it again; off gives the first pass alone."""
    factor: float | None = None
    """A fixed side factor r in place of the learned one."""
    regions: int = 1
    """At most this many dense regions are refined, the largest first."""
    merge: Literal["ownership", "published"] = "ownership"
    """``ownership``: each person counted where he is; ``published``: blank the region and add the second count."""
    max_pixels: int = MAX_PIXELS
    """Photos with more pixels are reduced to this many."""

    def __post_init__(self) -> None:
        if self.merge not in ("ownership", "published"):
            raise OptionError("expected merge as ownership or published", repr(self.merge))
        if self.factor is not None and not 0.1 <= self.factor <= 10:
            raise OptionError("expected a fixed factor from 0.1 to 10", str(self.factor))
        if self.regions < 1 or self.max_pixels < 1024:
            raise OptionError(
                "expected regions >= 1 and max-pixels >= 1024", f"{self.regions}, {self.max_pixels}"
            )


class Predictor:
    """Counts and locates people in photos; safe to call from several threads.

    Args:
        backend: An engine with the model loaded.
        config: The model's description.
        options: How photos are predicted.
    """

    def __init__(self, backend: Backend, config: ModelConfig, options: PredictOptions | None = None) -> None:
        self.backend, self.config = backend, config
        self.options = options or PredictOptions()

    def predict(self, source: str | os.PathLike[str] | bytes | IO[bytes] | NDArray[Any] | Any) -> Prediction:
        """Return the people in a photo.

        Args:
            source: A path, encoded bytes, an open file, a PIL image, or an array: (h, w, 3) **RGB**,
                (h, w, 4) RGBA (laid over white) or (h, w) grey, uint8.

        Raises:
            ImageError: The photo cannot be read or is no photo.
        """
        return self.predict_photo(open_photo(source, self.options.max_pixels))

    def predict_photo(self, photo: Photo) -> Prediction:
        """Return the people in a decoded photo, in the coordinates of its original size."""
        started = time.perf_counter()
        pixels = photo.pixels
        first = self.backend.predict(pixels)
        codec, options = self.config.codec, self.options
        published = options.merge == "published"
        reading = self._read(first, published)
        begun, output = reading, first.output
        regions, added = [], list[Reading]()
        for box in self._boxes(first.output):
            factor, capped = self._factor(first.features, box, pixels.shape[:2])
            before = reading.count_in(box)
            second = self._second_pass(pixels, box, factor)
            if published:
                output, added = codec.blank_output(output, box), [*added, second]
                merged = reduce(lambda whole, part: whole.add(part), added, codec.read_published(output))
            else:
                merged = reading.replace(box, second)
            after = merged.count - (reading.count - before)
            reading = merged
            regions.append((box, factor, before, after, capped))
        return self._finish(photo, (begun, reading), first, regions, time.perf_counter() - started)

    def _boxes(self, output: NDArray[np.float32]) -> list[Box]:
        if not self.options.refine or not (self.config.refines or self.options.factor):
            return []
        return self.config.rule.find(output, self.options.regions)

    def _factor(self, features: NDArray[np.float32], box: Box, frame: tuple[int, int]) -> tuple[float, bool]:
        """The side factor r = √q, clamped, and whether the limit of pixels lowered it."""
        zoom = self.config.zoom
        if self.options.factor is not None:
            area = self.options.factor**2
        else:
            pooled = pool_region(features, box, self.config.feature_stride)
            area = float(np.clip(self.backend.area_factor(pooled), zoom.area_low, zoom.area_high))
        limit = zoom.max_pixels / max(1, box.grow(zoom.context, frame).area)
        return float(np.sqrt(min(area, limit))), area > limit

    def _second_pass(self, pixels: Pixels, box: Box, factor: float) -> Reading:
        """Predict the enlarged region with its context; the reading is in the photo's pixels."""
        published = self.options.merge == "published"
        context = box if published else box.grow(self.config.zoom.context, pixels.shape[:2])
        width, height = max(1, round(context.width * factor)), max(1, round(context.height * factor))
        view = cv2.resize(pixels[context.slices], (width, height), interpolation=cv2.INTER_LINEAR)
        reading = self._read(self.backend.predict(np.asarray(view, np.uint8)), published)
        return reading.place(context, width, height)

    def _read(self, seen: FirstPass, published: bool) -> Reading:
        """What the network's output says of the view it saw."""
        codec = self.config.codec
        if published:
            return codec.read_published(seen.output)
        return (
            codec.read(seen.output, seen.blocks)
            if isinstance(codec, HybridLabels)
            else codec.read(seen.output)
        )

    def _finish(
        self,
        photo: Photo,
        readings: tuple[Reading, Reading],
        first: FirstPass,
        regions: list[Any],
        seconds: float,
    ) -> Prediction:
        to_x, to_y = 1 / photo.reduction[0], 1 / photo.reduction[1]
        begun, reading = readings
        side = 1 if isinstance(reading, DensityReading) else BLOCK
        shown = reading.density if isinstance(reading, DensityReading) else first.output[0]
        placed = tuple(
            Region(_scale_box(box, to_x, to_y, photo.size), factor, before, after, capped)
            for box, factor, before, after, capped in regions
        )
        return Prediction(
            count=reading.count,
            points=_scale_points(reading.points, to_x, to_y),
            map=shown,
            density=_density(reading),
            cell=(side * to_x, side * to_y),
            regions=placed,
            first_count=begun.count,
            first_points=_scale_points(begun.points, to_x, to_y),
            size=photo.size,
            model=self.config.name,
            reduction=min(photo.reduction),
            seconds=seconds,
        )


def _density(reading: Reading) -> NDArray[np.float32] | None:
    """People in each cell of a grid over the photo, where the model counts people in areas."""
    if isinstance(reading, HybridReading):
        return reading.blocks.people.astype(np.float32)
    return reading.density if isinstance(reading, DensityReading) else None


def _scale_points(points: Points | None, x: float, y: float) -> Points | None:
    return points if points is None or (x, y) == (1, 1) else points.scale(x, y)


def _scale_box(box: Box, x: float, y: float, size: tuple[int, int]) -> Box:
    return Box(
        int(box.left * x),
        int(box.top * y),
        min(size[0], round(box.right * x)),
        min(size[1], round(box.bottom * y)),
    )


def open_photo(source: Any, max_pixels: int) -> Photo:
    """Return a decoded photo from whatever ``Predictor.predict`` takes, reduced to ``max_pixels``."""
    if isinstance(source, (str, os.PathLike, bytes)) or hasattr(source, "read"):
        return read_image(source, max_pixels)
    if hasattr(source, "convert") and hasattr(source, "getexif"):
        from crowdscale.images import photo_from_pil

        return photo_from_pil(source, max_pixels)
    pixels = _rgb_array(np.asarray(source))
    height, width = pixels.shape[:2]
    if height * width > max_pixels:
        factor = (max_pixels / (height * width)) ** 0.5
        pixels = resize_image(pixels, max(1, round(width * factor)), max(1, round(height * factor)))
    return Photo(pixels, (width, height))


def _rgb_array(array: NDArray[Any]) -> Pixels:
    if array.dtype != np.uint8 or array.size == 0 or array.ndim not in (2, 3):
        raise ImageError("expected RGB pixels as (h, w, 3) uint8", f"shape {array.shape} of {array.dtype}")
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=2)
    if array.shape[2] not in (3, 4):
        raise ImageError("expected 3 (RGB) or 4 (RGBA) channels", f"{array.shape[2]}")
    if array.shape[2] == 4:
        opaque = array[..., 3:].astype(np.float32) / 255
        array = np.rint(array[..., :3] * opaque + 255 * (1 - opaque)).astype(np.uint8)
    return np.ascontiguousarray(array)


def load(
    model: str | os.PathLike[str] = "lite",
    *,
    engine: str = "onnx",
    device: str = "cpu",
    threads: int = 0,
    options: PredictOptions | None = None,
) -> Predictor:
    """Return a predictor with a model loaded.

    Args:
        model: A bundled model's name, or the path of a model folder.
        engine: ``onnx``, or ``torch`` where the extra [learn] is installed.
        device: ``cpu`` or ``cuda``.
        threads: Threads of the engine; 0 leaves the choice to it.
        options: How photos are predicted.

    Raises:
        ModelError: The model is missing, damaged or of another format.
    """
    folder: Path = find_model(model)
    config = read_config(folder)
    return Predictor(open_backend(engine, folder, config, device, threads), config, options)
