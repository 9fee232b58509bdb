"""Predictor: photo → read scale → tiles → first pass → dense regions → learned zoom → second pass → merged people (Fig. 3)."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdscale.arrays import Pixels
from crowdscale.backends import Backend, NetworkOutput, open_backend, share_cores
from crowdscale.counting.assembling import TileResult, assemble, tile_map
from crowdscale.counting.canvas import Canvas
from crowdscale.counting.many import in_order
from crowdscale.counting.options import MAP_CELL, MOST_READ_SCALE, PredictOptions
from crowdscale.counting.prediction import Prediction, Region
from crowdscale.counting.read_scale import choose_read_scale
from crowdscale.counting.second_pass import SecondPass, estimate
from crowdscale.counting.tiles import Tile, batches, plan_tiles
from crowdscale.counting.viewing import kept_source
from crowdscale.errors import CrowdscaleError, ImageError, OptionError
from crowdscale.files.images import Photo, photo_from_array, read_image, resize_image
from crowdscale.files.pages import split_page
from crowdscale.files.storage import is_url, read_photo_bytes
from crowdscale.maps import Estimate
from crowdscale.maps.regions import Reference
from crowdscale.models.description import ModelConfig, read_config
from crowdscale.models.finding import find_model
from crowdscale.points import Points
from crowdscale.trust.appearance import Appearance, ProfiledPhoto, mean_features
from crowdscale.trust.profile import Judgement, turn_of

__all__ = ["MAP_CELL", "PredictOptions", "Predictor", "load", "open_photo"]

WHOLE_PIXELS = 6_000_000
"""The published merge needs the photo in one piece; a photo with more pixels is reduced to this many (about 3 GB at
the peak)."""


class Predictor:
    """Counts and locates people in photos; safe to call from several threads.

    Args:
        backend: Runs the model.
        config: The model's description.
        options: How photos are predicted.
        opened: How the backend was opened, by which another process can open it.
    """

    def __init__(
        self,
        backend: Backend,
        config: ModelConfig,
        options: PredictOptions | None = None,
        opened: OpenedBackend | None = None,
    ) -> None:
        self.options = options or PredictOptions()
        self.backend = backend
        self._described = config
        self._opened = opened
        self.config = replace(config, rule=self.options.rule.apply(config.rule))

    def __repr__(self) -> str:
        return f"Predictor({self.config.name!r}, {type(self.backend).__name__})"

    def with_options(
        self,
        options: PredictOptions | None = None,
        *,
        config: ModelConfig | None = None,
        backend: Backend | None = None,
        **changes: Any,
    ) -> Predictor:
        """Return a predictor that shares the backend, with other options.

        Args:
            options: Options in place of the present ones.
            config: A description in place of the present one, such as one with another offset.
            backend: A backend in place of the present one, such as one that wraps it.
            changes: Single options by name, such as ``refine=False``.
        """
        chosen = replace(options or self.options, **changes)
        opened = self._opened if backend is None else None
        return Predictor(backend or self.backend, config or self._described, chosen, opened)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._opened is None:
            raise pickle.PicklingError(
                "a predictor around your own backend cannot be pickled: open the model in each process with load()"
            )
        return _reopen, (self._opened, self._described, self.options)

    def predict(self, source: str | os.PathLike[str] | bytes | IO[bytes] | NDArray[Any] | Any) -> Prediction:
        """Return the people in a photo.

        Args:
            source: A path or an address (``scan.tif#2`` is page 2), encoded bytes, an open file, a PIL image, or an
                array: (h, w, 3) **RGB**, (h, w, 4) RGBA (laid over white), (h, w) or (h, w, 1) grey, channels
                first too; uint8, or other numbers by the rule in ``files.pixels``.

        Raises:
            ImageError: The photo cannot be read or is no photo.
        """
        prediction = self.predict_photo(open_photo(source, self.options.max_pixels))
        return replace(prediction, source=kept_source(source))

    def predict_many(
        self, sources: Iterable[Any], *, workers: int = 0
    ) -> Iterator[Prediction | CrowdscaleError]:
        """Yield the people in each photo, in order: a prediction, or the error of a photo that cannot be read.

        Photos are read as results are taken, a few ahead, so memory does not grow with their number. Threads count them
        in parallel; results are those of ``predict``. Photos are not joined into one call of the network: that takes 1 to
        13 % more processor time a photo, and photos of one size (``docs/speed.md`` has the numbers).

        Args:
            sources: Photos, each as ``predict`` takes it.
            workers: Photos counted in parallel; 0: one for each core, 4 at most.

        Raises:
            OptionError: Workers are below 0.
        """
        if workers < 0:
            raise OptionError("expected workers of at least 0", str(workers), "0 takes one for each core")
        name, device = (self._opened.name, self._opened.device) if self._opened else ("onnx", "cpu")
        workers = share_cores(name, device, workers)[0]
        return in_order(self.predict, sources, workers)

    def predict_photo(self, photo: Photo) -> Prediction:
        """Return the people in a decoded photo, in the coordinates of its original size.

        A large photo is read at a scale chosen for it and in tiles, so that memory does not grow with it. With
        ``options.turn`` the photo is turned first.
        """
        turn = self.options.turn
        if isinstance(turn, int):
            return replace(self._predict_upright(photo.turned(turn)), turn=turn)
        prediction = self._predict_upright(photo)
        degrees = -90 * turn_of(prediction.warnings) % 360 if turn == "auto" else 0
        if not degrees:
            return prediction
        again = self._predict_upright(photo.turned(degrees))
        return replace(again, turn=degrees, seconds=prediction.seconds + again.seconds)

    def _predict_upright(self, photo: Photo) -> Prediction:
        """Return the people in a photo as it stands."""
        started = time.perf_counter()
        canvas = Canvas(photo.pixels, self._read_scale(photo.pixels))
        cut = self.options.tiles
        if self.options.published:  # defined on the whole alone
            cut = replace(cut, whole=max(cut.whole, WHOLE_PIXELS))
        tiles = plan_tiles(canvas.width, canvas.height, cut)
        reference = self._reference(canvas) if len(tiles) > 1 else None
        results = [
            self._tile(canvas, tile, output, reference)
            for batch in batches(tiles, cut.batch)
            for tile, output in zip(batch, self._first_passes(canvas, batch), strict=True)
        ]
        assembled, heads = assemble(self.config, canvas, photo.size, tiles, results)
        warnings, usable = self._judgement(photo, assembled, heads)
        return replace(
            assembled,
            calibration=self.config.calibration if self.options.as_calibrated else None,
            warnings=photo.warnings + warnings if usable else (warnings[0], *photo.warnings, *warnings[1:]),
            notes=photo.notes,
            usable=usable,
            seconds=time.perf_counter() - started,
        )

    @cached_property
    def _second_pass(self) -> SecondPass:
        chosen = self.options
        return SecondPass(
            self.backend,
            self.config,
            chosen.tiles,
            chosen.published,
            chosen.zoom,
            chosen.regions,
            chosen.third_pass,
        )

    def _read_scale(self, pixels: Pixels) -> float:
        """The side factor at which the photo is read."""
        area = pixels.shape[0] * pixels.shape[1]
        most = min(1.0, (WHOLE_PIXELS / area) ** 0.5) if self.options.published else MOST_READ_SCALE
        if self.options.read_scale is not None:
            return min(most, self.options.read_scale)
        enlarged = self._enlargement(pixels)
        if enlarged > 1:
            return min(most, enlarged)
        search = self.options.read_scale_search
        return min(
            most, choose_read_scale(lambda view: self._estimate(self.backend.predict(view)), pixels, search)
        )

    def _enlargement(self, pixels: Pixels) -> float:
        """The side factor by which the model enlarges a small photo; 1 for others."""
        area = pixels.shape[0] * pixels.shape[1]
        if area >= self.config.enlarge_below:
            return 1.0
        return min(MOST_READ_SCALE, float((self.config.enlarge_below / area) ** 0.5))

    def _reference(self, canvas: Canvas) -> Reference:
        """The measures of the whole photo for the rule: the area of a full tile, the mean density."""

        def mean() -> float:
            pixels = canvas.width * canvas.height
            scale = min(1.0, (self.options.read_scale_search.overview / pixels) ** 0.5)
            size = max(1, round(canvas.width * scale)), max(1, round(canvas.height * scale))
            output = self.backend.predict(resize_image(canvas.reduced, *size)).output
            return float(output[0].sum(dtype=np.float64) / pixels)

        return self.config.rule.reference(float(self.options.tiles.side**2), mean)

    def _first_passes(self, canvas: Canvas, tiles: list[Tile]) -> list[NetworkOutput]:
        views = [canvas.cut(tile.context) for tile in tiles]
        return [self.backend.predict(views[0])] if len(views) == 1 else self.backend.predict_batch(views)

    def _tile(
        self, canvas: Canvas, tile: Tile, output: NetworkOutput, reference: Reference | None
    ) -> TileResult:
        """Read a tile's first pass and give its dense regions a second pass."""
        first = self._estimate(output).place(tile.context, tile.context.width, tile.context.height)
        final, regions = first, list[Region]()
        if self.options.refine and (self.config.refines or self.options.zoom):
            final, regions = self._second_pass.refine(canvas, tile, output, first, reference)
        if reference is not None:
            first, final = first.of_tile(tile.owned), final.of_tile(tile.owned)
        own = tile_map(self.config, output, tile) if self.options.keep_map else None
        appearance = Appearance.of(canvas.cut(tile.context), output.features)
        return TileResult(first, final, regions, own, appearance)

    def _estimate(self, output: NetworkOutput) -> Estimate:
        return estimate(self.config, output, self.options.published)

    def _judgement(self, photo: Photo, assembled: Prediction, heads: Points | None) -> Judgement:
        """How the photo differs from the training photos; a photo that may be turned is read in all four orientations."""
        familiar = self.config.familiar
        if familiar is None or assembled.appearance is None:
            return Judgement((), True)
        photo_and_count = ProfiledPhoto(assembled.appearance, heads, assembled.count, photo.size)
        if self.options.held_turn is not None:
            return Judgement(familiar.warnings(photo_and_count, self.options.held_turn), True)
        return familiar.judge(photo_and_count, photo.pixels, self._look)

    def _look(self, pixels: Pixels) -> tuple[NDArray[np.float64], float]:
        """Return the (c,) mean features of a photo and the sum of confidences of its heads; without heads, the count.

        A small photo is enlarged as it is when it is counted: the profile was learned so.
        """
        factor = self._enlargement(pixels)
        if factor > 1:
            height, width = (max(1, round(side * factor)) for side in pixels.shape[:2])
            pixels = resize_image(pixels, width, height)
        output = self.backend.predict(pixels)
        first = self._estimate(output)
        points = first.points
        sure = first.count if points is None or points.confidence is None else float(points.confidence.sum())
        return mean_features(output.features), sure


class OpenedBackend(NamedTuple):
    """How a backend was opened."""

    name: str
    folder: Path
    device: str
    threads: int


def _reopen(opened: OpenedBackend, config: ModelConfig, options: PredictOptions) -> Predictor:
    """Return a predictor in another process."""
    backend = open_backend(opened.name, opened.folder, config, opened.device, opened.threads)
    return Predictor(backend, config, options, opened)


def open_photo(source: Any, max_pixels: int) -> Photo:
    """Return a decoded photo from whatever ``Predictor.predict`` takes, reduced to ``max_pixels``."""
    if isinstance(source, (bytearray, memoryview)):
        source = bytes(source)
    if isinstance(source, str):
        return _named_photo(source, max_pixels)
    if isinstance(source, (os.PathLike, bytes)) or hasattr(source, "read"):
        return read_image(source, max_pixels)
    if hasattr(source, "convert") and hasattr(source, "getexif"):
        from crowdscale.files.images import photo_from_pil

        return photo_from_pil(source, max_pixels)
    if not hasattr(source, "__array__") and not isinstance(source, (list, tuple)):
        raise ImageError(
            "expected a photo as a path, bytes, an open file, a PIL image or an array", repr(source)[:80]
        )
    return photo_from_array(np.asarray(source), max_pixels)


def _named_photo(name: str, max_pixels: int) -> Photo:
    """Return the photo at a path or an address, or one page of it. Raises ImageError."""
    source, page = split_page(name)
    return read_image(read_photo_bytes(source) if is_url(source) else source, max_pixels, page)


def load(
    model: str | os.PathLike[str] = "lite",
    *,
    backend: str = "onnx",
    device: str = "cpu",
    threads: int = 0,
    options: PredictOptions | None = None,
) -> Predictor:
    """Return a predictor with a model loaded.

    Args:
        model: A bundled model's name, or the path of a model folder.
        backend: ``onnx``; ``openvino`` or ``openvino-bf16`` (extra [openvino]); ``torch`` (extra [learn]).
        device: ``cpu`` or ``cuda``.
        threads: Threads of the backend; 0 leaves the choice to it.
        options: How photos are predicted.

    Raises:
        ModelError: The model is missing, damaged or of another format.
        OptionError: No backend has this name, it has no such device, or threads are below 0.
    """
    folder: Path = find_model(model)
    config = read_config(folder)
    return _reopen(OpenedBackend(backend, folder, device, threads), config, options or PredictOptions())
