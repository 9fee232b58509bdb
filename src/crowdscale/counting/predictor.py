"""Predictor: photo → base scale → tiles → first pass → dense region → learned factor → second pass → merged people (Fig. 3)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdscale.backends import Backend, FirstPass, open_backend
from crowdscale.counting.canvas import Canvas
from crowdscale.counting.prediction import Prediction, Region
from crowdscale.counting.read_scale import ReadScaleOptions, choose_read_scale
from crowdscale.counting.second_pass import Reading, Refiner, read_output
from crowdscale.counting.tiles import Tile, TileOptions, batches, plan_tiles
from crowdscale.deprecation import renamed
from crowdscale.errors import ImageError, OptionError
from crowdscale.files.images import MAX_PIXELS, Photo, photo_from_array, read_image, resize_image
from crowdscale.maps import BlockReading, Density, HybridReading
from crowdscale.maps.blocks import BLOCK
from crowdscale.maps.reading import DensityReading
from crowdscale.maps.regions import DensityRule, RuleChoice, Whole
from crowdscale.models.description import ModelConfig, read_config
from crowdscale.models.finding import find_model
from crowdscale.points import Box, Points
from crowdscale.trust.profile import Impression, Seen, mean_features

__all__ = ["PredictOptions", "Predictor", "load"]

WHOLE_PIXELS = 6_000_000
"""A photo with more pixels is reduced to this many where it has to be seen in one piece (about 3 GB at the peak)."""

MAP_CELL = 8
"""Side in pixels of a map's cell, or the stride of the network's features where that is finer."""

MOST_READ_SCALE = 2.0
"""A small photo is read at no more than twice its side: beyond that little was gained (research/logs/small22.md)."""

CALIBRATED = ("refine", "zoom", "regions", "third_pass", "rule", "merge")
"""Options that change counts: with another value than the default there are no calibrated intervals."""

Pixels = NDArray[np.uint8]


@renamed(factor="zoom", again="third_pass", base="read_scale", bases="read_scale_search")
@dataclass(frozen=True)
class PredictOptions:
    """How photos are predicted."""

    refine: bool = True
    """Give dense regions a second pass; False stops after the first pass."""
    zoom: float | Callable[[Box], float] | None = None
    """A fixed zoom in place of the learned one, or a function of each region's box in pixels of the photo as read."""
    regions: int | Literal["all"] = 1
    """At most this many dense regions get a second pass, the largest first, or ``all``; in a large photo, of each tile.
    Regions that touch with their context are joined."""
    third_pass: bool = False
    """Give the densest part of an enlarged region a third pass where it is still too dense."""
    rule: RuleChoice = field(default_factory=RuleChoice)
    """Parts of the region rule in place of the model's own."""
    merge: Literal["ownership", "published"] = "ownership"
    """``ownership``: each person is counted by the pass that owns the position; ``published``: the region is blanked
    in the first pass and the second count added, as the papers do."""
    max_pixels: int = MAX_PIXELS
    """Photos with more pixels are reduced to this many when they are read."""
    read_scale: float | None = None
    """Side factor at which a photo is read, at most 2; None chooses it for large photos, and for small ones with a
    model whose description asks for it."""
    tiles: TileOptions = field(default_factory=TileOptions)
    """How a large photo is cut."""
    read_scale_search: ReadScaleOptions = field(default_factory=ReadScaleOptions)
    """How the read scale of a large photo is chosen."""
    keep_map: bool = True
    """Keep the map of the first pass, in cells of ``MAP_CELL`` pixels."""

    def __post_init__(self) -> None:
        if self.merge not in ("ownership", "published"):
            raise OptionError("expected merge as ownership or published", repr(self.merge))
        if self.zoom is not None and not callable(self.zoom) and not 0.1 <= self.zoom <= 10:
            raise OptionError("expected a fixed zoom from 0.1 to 10", str(self.zoom))
        if self.read_scale is not None and not 0.01 <= self.read_scale <= MOST_READ_SCALE:
            raise OptionError("expected a read scale from 0.01 to 2", str(self.read_scale))
        if self.max_pixels < 1024:
            raise OptionError("expected max-pixels of at least 1024", str(self.max_pixels))
        if self.third_pass and callable(self.zoom):
            raise OptionError("expected one fixed or the learned zoom with a third pass", "a function")
        if self.third_pass and self.merge == "published":
            raise OptionError("expected merge as ownership with a third pass", self.merge)
        if self.regions != "all" and not (isinstance(self.regions, int) and self.regions >= 1):
            raise OptionError("expected regions of at least 1, or all", repr(self.regions))


class Found(NamedTuple):
    """What one tile says, in pixels of the base scale."""

    begun: Reading
    """By the first pass."""
    reading: Reading
    """With its dense regions looked at again."""
    regions: list[Region]
    map: NDArray[np.float32] | None
    """(rows, columns) of its owned box in cells of ``MAP_CELL`` pixels."""
    impression: Impression


class Predictor:
    """Counts and locates people in photos; safe to call from several threads.

    Args:
        backend: An engine with the model loaded.
        config: The model's description.
        options: How photos are predicted.
    """

    def __init__(self, backend: Backend, config: ModelConfig, options: PredictOptions | None = None) -> None:
        self.options = options or PredictOptions()
        self.backend = backend
        self.config = replace(config, rule=self.options.rule.apply(config.rule))

    def __repr__(self) -> str:
        return f"Predictor({self.config.name!r}, {type(self.backend).__name__})"

    def predict(self, source: str | os.PathLike[str] | bytes | IO[bytes] | NDArray[Any] | Any) -> Prediction:
        """Return the people in a photo.

        Args:
            source: A path, encoded bytes, an open file, a PIL image, or an array: (h, w, 3) **RGB**,
                (h, w, 4) RGBA (laid over white), (h, w) or (h, w, 1) grey, uint8.

        Raises:
            ImageError: The photo cannot be read or is no photo.
        """
        return self.predict_photo(open_photo(source, self.options.max_pixels))

    def predict_photo(self, photo: Photo) -> Prediction:
        """Return the people in a decoded photo, in the coordinates of its original size.

        A large photo is read at a base scale chosen for it and in tiles, so that memory does not grow with it.
        """
        started = time.perf_counter()
        canvas = Canvas(photo.pixels, self._read_scale(photo.pixels))
        cut = self.options.tiles
        if self._published:  # defined on the whole alone
            cut = replace(cut, whole=max(cut.whole, WHOLE_PIXELS))
        tiles = plan_tiles(canvas.width, canvas.height, cut)
        whole = self._whole(canvas) if len(tiles) > 1 else None
        found = [
            self._look(canvas, tile, seen, whole)
            for batch in batches(tiles, cut.batch)
            for tile, seen in zip(batch, self._first_passes(canvas, batch), strict=True)
        ]
        return self._finish(photo, canvas, tiles, found, started)

    @cached_property
    def _refiner(self) -> Refiner:
        chosen = self.options
        return Refiner(
            self.backend,
            self.config,
            chosen.tiles,
            self._published,
            chosen.zoom,
            chosen.regions,
            chosen.third_pass,
        )

    @property
    def _as_calibrated(self) -> bool:
        """Whether photos are counted the way in which intervals were calibrated."""
        usual, options = PredictOptions(), self.options
        return all(getattr(options, name) == getattr(usual, name) for name in CALIBRATED)

    @property
    def _published(self) -> bool:
        return self.options.merge == "published"

    def _read_scale(self, pixels: Pixels) -> float:
        """The side factor at which the photo is read."""
        area = pixels.shape[0] * pixels.shape[1]
        most = min(1.0, (WHOLE_PIXELS / area) ** 0.5) if self._published else MOST_READ_SCALE
        if self.options.read_scale is not None:
            return min(most, self.options.read_scale)
        if area < self.config.enlarge_below:
            return min(most, float((self.config.enlarge_below / area) ** 0.5))
        return min(
            most,
            choose_read_scale(
                lambda view: self._read(self.backend.predict(view)), pixels, self.options.read_scale_search
            ),
        )

    def _whole(self, canvas: Canvas) -> Whole:
        """What the tiles' regions are measured by: the area of a full tile, the mean density of the whole."""
        area = float(self.options.tiles.side**2)
        if not isinstance(self.config.rule, DensityRule):
            return Whole(area)
        factor = min(1.0, (self.options.read_scale_search.overview / (canvas.width * canvas.height)) ** 0.5)
        view = resize_image(
            canvas.reduced, max(1, round(canvas.width * factor)), max(1, round(canvas.height * factor))
        )
        people = self.backend.predict(view).output[0].sum(dtype=np.float64)
        return Whole(area, float(people) / (canvas.width * canvas.height))

    def _first_passes(self, canvas: Canvas, tiles: list[Tile]) -> list[FirstPass]:
        views = [canvas.cut(tile.seen) for tile in tiles]
        return [self.backend.predict(views[0])] if len(views) == 1 else self.backend.predict_batch(views)

    def _look(self, canvas: Canvas, tile: Tile, first: FirstPass, whole: Whole | None) -> Found:
        """Read a tile's first pass and look at its dense regions again."""
        begun = self._read(first).place(tile.seen, tile.seen.width, tile.seen.height)
        reading, regions = begun, list[Region]()
        if self.options.refine and (self.config.refines or self.options.zoom):
            reading, regions = self._refiner.refine(canvas, tile, first, begun, whole)
        if whole is not None and isinstance(reading, DensityReading):
            begun, reading = (each.in_cells(tile.owned, BLOCK) for each in (begun, reading))
        impression = Impression.of(canvas.cut(tile.seen), first.features)
        return Found(begun, reading, regions, self._map(first, tile), impression)

    def _read(self, seen: FirstPass) -> Reading:
        return read_output(self.config, seen, self._published)

    def _map(self, first: FirstPass, tile: Tile) -> NDArray[np.float32] | None:
        """The first pass's map of what the tile owns: people in a cell, or the mean expected label."""
        if not self.options.keep_map:
            return None
        output = first.output[0]
        frame, inner = Box(0, 0, output.shape[1], output.shape[0]), tile.inner.in_cells(first.cell)
        cells = DensityReading(output, frame).in_cells(inner, _map_cell(self.config) // first.cell)
        if isinstance(self.config.codec, Density):
            return cells.people.astype(np.float32)
        areas = np.outer(np.diff(cells.y_edges), np.diff(cells.x_edges))
        return np.asarray(cells.people / areas, np.float32)

    def _finish(
        self, photo: Photo, canvas: Canvas, tiles: list[Tile], found: list[Found], started: float
    ) -> Prediction:
        """Join the tiles and move everything into the pixels of the original photo."""
        begun, reading = (
            self._join(tiles, parts, canvas) for parts in zip(*(f[:2] for f in found), strict=True)
        )
        factors = (canvas.width / photo.size[0], canvas.height / photo.size[1])
        to_x, to_y = 1 / factors[0], 1 / factors[1]
        regions = [r.scale(to_x, to_y, photo.size) for f in found for r in f.regions]
        side = 1 if isinstance(reading, DensityReading) else BLOCK
        heads, impression = reading.points, Impression.joined([f.impression for f in found])
        return Prediction(
            count=reading.count,
            points=self._placed(heads, to_x, to_y, photo.size),
            map=_join_maps(tiles, found, canvas, _map_cell(self.config)),
            density=_density(reading),
            cell=(side * to_x, side * to_y),
            regions=tuple(sorted(regions, key=lambda region: -region.box.area)),
            first_pass_count=begun.count,
            first_pass_points=self._placed(begun.points, to_x, to_y, photo.size),
            size=photo.size,
            model=self.config.name,
            read_scale=min(factors),
            tiles=len(tiles),
            calibration=self.config.calibration if self._as_calibrated else None,
            warnings=photo.notes + self._warnings(photo, Seen(impression, heads, reading.count, photo.size)),
            seconds=time.perf_counter() - started,
            impression=impression,
        )

    def _placed(self, points: Points | None, x: float, y: float, size: tuple[int, int]) -> Points | None:
        """Heads in pixels of the (width, height) photo, moved to where annotators put them."""
        if points is None:
            return None
        points = points if (x, y) == (1, 1) else points.scale(x, y)
        return points if self.config.offset == (0, 0) else points.shift(*self.config.offset).within(*size)

    def _warnings(self, photo: Photo, seen: Seen) -> tuple[str, ...]:
        """How the photo is unlike those trained on; one that may be turned is looked at at each turn."""
        familiar = self.config.familiar
        if familiar is None:
            return ()
        turn = familiar.turn(
            seen, photo.pixels, lambda pixels: mean_features(self.backend.predict(pixels).features)
        )
        return familiar.warnings(seen, turn)

    @staticmethod
    def _join(tiles: list[Tile], parts: Sequence[Reading], canvas: Canvas) -> Reading:
        if len(tiles) == 1:
            return parts[0]
        owned = [(tile.owned, part) for tile, part in zip(tiles, parts, strict=True)]
        if isinstance(parts[0], BlockReading):
            return BlockReading.join(owned, canvas.width, canvas.height, BLOCK)
        return type(parts[0]).join(owned, canvas.width, canvas.height)


def _map_cell(config: ModelConfig) -> int:
    """Side of a map's cell: the stride of the network's features, but at most ``MAP_CELL``."""
    return min(config.feature_stride, MAP_CELL)


def _join_maps(
    tiles: list[Tile], found: list[Found], canvas: Canvas, side: int
) -> NDArray[np.float32] | None:
    """Return the (⌈h/side⌉, ⌈w/side⌉) map of the photo from those of its tiles, which begin on the grid."""
    if found[0].map is None or len(tiles) == 1:
        return found[0].map
    whole = np.zeros((-(-canvas.height // side), -(-canvas.width // side)), np.float32)
    for tile, part in zip(tiles, found, strict=True):
        top, left = tile.owned.top // side, tile.owned.left // side
        if part.map is not None:
            whole[top : top + part.map.shape[0], left : left + part.map.shape[1]] = part.map
    return whole


def _density(reading: Reading) -> NDArray[np.float32] | None:
    """People in each cell of a grid over the photo, where the model counts people in areas."""
    if isinstance(reading, HybridReading):
        reading = reading.blocks
    if isinstance(reading, BlockReading):
        return reading.people.astype(np.float32)
    return reading.density if isinstance(reading, DensityReading) else None


def open_photo(source: Any, max_pixels: int) -> Photo:
    """Return a decoded photo from whatever ``Predictor.predict`` takes, reduced to ``max_pixels``."""
    if isinstance(source, (bytearray, memoryview)):
        source = bytes(source)
    if isinstance(source, (str, os.PathLike, bytes)) or hasattr(source, "read"):
        return read_image(source, max_pixels)
    if hasattr(source, "convert") and hasattr(source, "getexif"):
        from crowdscale.files.images import photo_from_pil

        return photo_from_pil(source, max_pixels)
    if not hasattr(source, "__array__") and not isinstance(source, (list, tuple)):
        raise ImageError(
            "expected a photo as a path, bytes, an open file, a PIL image or an array", repr(source)[:80]
        )
    return photo_from_array(np.asarray(source), max_pixels)


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
        threads: Threads of the engine; 0 leaves the choice to it.
        options: How photos are predicted.

    Raises:
        ModelError: The model is missing, damaged or of another format.
        OptionError: No engine has this name, the device is unknown to it, or threads are below 0.
    """
    folder: Path = find_model(model)
    config = read_config(folder)
    return Predictor(open_backend(backend, folder, config, device, threads), config, options)
