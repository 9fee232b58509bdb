"""Training crops: a sample and a number → an augmented crop with its points, always the same for the same number.

Each crop draws from a generator seeded by (seed, index) alone. Workers share no random state, and a resumed run gets the
same crops as an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from crowdscale.data.checks import photo_size
from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, OptionError
from crowdscale.learn.crops.journeys import resample, travel
from crowdscale.learn.crops.negatives import empty_crop
from crowdscale.maps import Density, DistanceLabels
from crowdscale.points import Points

__all__ = ["Batch", "CropOptions", "Crops", "block_counts", "collate"]

Codec = Density | DistanceLabels

BLOCK = 16
"""Side in pixels of the blocks of the auxiliary count."""


MOST_HELD = 6_000_000_000
"""Most bytes of decoded photos in memory; beyond that each crop reads its photo anew."""


QUILTED = 0.6
"""Scale of a quilt's windows relative to other crops."""
STRETCH = 0.2
"""Largest logarithm of a side's random enlargement against the mean of both, at variety 1."""
CAST, SATURATION = 0.1, 0.3
"""Standard deviations of the logarithms of channel gains and saturation, at variety 1."""
GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a grey of the same brightness."""
DEGRADED = 0.25
"""Share of blurred crops, and of JPEG-compressed ones, at variety 1."""


class Batch(TypedDict):
    """A batch of crops."""

    images: torch.Tensor
    """(b, 3, h, w) RGB in 0…1."""
    target: torch.Tensor
    """(b, h, w) labels or (b, 1, h, w) density."""
    blocks: torch.Tensor
    """(b, h/16, w/16) people in each block."""
    points: list[NDArray[np.float64]]
    """(n, 2) for each crop, in its pixels, with heads around the crop."""


@dataclass(frozen=True)
class CropOptions:
    """Cutting and variation of crops."""

    crop: int = 256
    """Side of a training crop in pixels, a multiple of 32; 0 takes whole photos (the papers')."""
    scale_low: float = 0.7
    """Smallest random enlargement of a crop."""
    scale_high: float = 1.6
    """Largest random enlargement of a crop."""
    flip: bool = True
    """Mirror every other crop."""
    jitter: float = 0.2
    """Strength of random brightness, contrast, grey and noise; 0 for none."""
    variety: float = 0.0
    """Strength of other cameras: stretched sides, colour casts, saturation, blur and JPEG; 0 for none, 1 for much."""
    crowded: float = 0.0
    """Share of the crops around a random head, so that crowds occur more often."""
    mosaic: float = 0.0
    """Share of the crops composed of parts of four photos, against overfitting to scenes."""
    quilt: float = 0.0
    """Share of the crops composed of nine windows at a smaller scale: dense crowds with exact points."""
    journeys: float = 0.0
    """Share of the crops with the damage of shared photos: rescaled, sharpened, blurred, compressed, grained. Above 0 all
    crops are resized by random filters."""
    least_spacing: float = 0.0
    """Smallest mean distance of heads in pixels to which a photo is reduced, and never below the size of a crop; 0: no
    limit."""
    negatives: float = 0.0
    """Share of the crops without people, cut from empty windows of the photos."""
    points_right: float = 0.0
    """Distance of annotated points to the right of heads, in pixels of the photo as it is read, equal in all sets.
    Training then uses the positions of heads, and so does the model until its offset is measured. ShanghaiTech: 0.8 px."""
    points_below: float = 0.0
    """Distance of annotated points below heads, in pixels. ShanghaiTech: 1.1 px."""

    def __post_init__(self) -> None:
        if self.crop % 32 or self.crop < 0:
            raise OptionError("expected --crop as a multiple of 32", str(self.crop))
        if not 0 < self.scale_low <= self.scale_high:
            raise OptionError(
                "expected 0 < --scale-low <= --scale-high", f"{self.scale_low}, {self.scale_high}"
            )
        if not 0 <= self.negatives < 1:
            raise OptionError("expected --negatives from 0 to below 1", str(self.negatives))
        if self.least_spacing < 0:
            raise OptionError("expected --least-spacing of at least 0", str(self.least_spacing))
        self._check_shares()

    def _check_shares(self) -> None:
        for name in ("crowded", "mosaic", "quilt", "journeys", "variety"):
            if not 0 <= getattr(self, name) <= 1:
                raise OptionError(f"expected --{name} from 0 to 1", str(getattr(self, name)))
        for name in ("crowded", "mosaic", "quilt", "negatives"):
            if getattr(self, name) and not self.crop:
                raise OptionError(f"expected a --crop above 0 with --{name}", "whole photos (crop 0)")


class Scales(NamedTuple):
    """Side of a window in pixels of the crop, and its smallest and largest enlargement."""

    side: int
    low: float
    high: float


class Crops(Dataset[tuple[NDArray[np.uint8], Points]]):
    """A numbered sequence of crops of samples; decoded photos stay in memory if they fit.

    Args:
        samples: Photos with points.
        weights: Relative frequency of each photo.
        options: The augmentation.
        length: Number of crops of the run.
        seed: Seed of the run.
        preload: Keep decoded photos in memory; None: if they take at most ``MOST_HELD`` bytes.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        weights: Sequence[float],
        options: CropOptions,
        length: int,
        seed: int,
        preload: bool | None = None,
    ) -> None:
        if not samples:
            raise DataError("expected training photos", "none")
        aside = -options.points_right, -options.points_below
        self.points = [_labelled(sample).shift(*aside) for sample in samples]  # positions of heads
        self.spacings = [points.spacing() for points in self.points] if options.least_spacing else []
        self.scales = Scales(options.crop, options.scale_low, options.scale_high)
        self.samples = samples
        held = _pixels(samples) * 3 <= MOST_HELD if preload is None else preload
        self.photos = [sample.read() for sample in samples] if held else None
        self.chances = np.asarray(weights, float) / np.sum(weights)
        self.options, self.length, self.seed = options, length, seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], Points]:
        random = np.random.default_rng([self.seed, index])
        pixels, points = self._composed(random)
        if self.options.flip and random.random() < 0.5:
            pixels, points = np.ascontiguousarray(pixels[:, ::-1]), points.flip(pixels.shape[1])
        if self.options.jitter:
            pixels = _jitter(pixels, self.options.jitter, random)
        if self.options.variety:
            pixels = _other_camera(pixels, self.options.variety, random)
        if self.options.journeys and random.random() < self.options.journeys:
            pixels = travel(pixels, random)
        return pixels, points

    def _composed(self, random: np.random.Generator) -> tuple[NDArray[np.uint8], Points]:
        """Return a quilt, a mosaic or a window of one photo."""
        if self.options.quilt and random.random() < self.options.quilt:
            return self._quilt(random)
        if self.options.mosaic and random.random() < self.options.mosaic:
            return _mosaic([self._window(random) for _ in range(4)], random)
        return self._window(random)

    def _quilt(self, random: np.random.Generator) -> tuple[NDArray[np.uint8], Points]:
        """Return nine windows in three rows, with the heads in each, at ``QUILTED`` of the usual scales."""
        whole, side = self.options.crop, -(-self.options.crop // 3)
        small = Scales(side, self.scales.low * QUILTED, self.scales.high * QUILTED)
        pixels, heads = np.empty((3 * side, 3 * side, 3), np.uint8), []
        for number in range(9):
            left, top = side * (number % 3), side * (number // 3)
            window, points = self._window(random, small)
            pixels[top : top + side, left : left + side] = window
            inside = np.all((points.xy >= -0.5) & (points.xy < side - 0.5), axis=1)
            heads.append(points.xy[inside] + (left, top))
        xy = np.concatenate(heads)
        return np.ascontiguousarray(pixels[:whole, :whole]), Points(xy)

    def _window(
        self, random: np.random.Generator, scales: Scales | None = None
    ) -> tuple[NDArray[np.uint8], Points]:
        """Return a window of a random photo, or one without people."""
        chosen = int(random.choice(len(self.chances), p=self.chances))
        pixels = self.photos[chosen] if self.photos is not None else self.samples[chosen].read()
        options, scales = self.options, scales or self.scales
        if options.negatives and random.random() < options.negatives:
            empty = empty_crop(pixels, self.points[chosen], scales.side, random)
            if empty is not None:
                return empty, Points()
        if options.least_spacing:
            scales = _limited(
                scales, options.least_spacing / (self.spacings[chosen] or np.nan), max(pixels.shape[:2])
            )
        return _cut(pixels, self.points[chosen], options, scales, random)


def _pixels(samples: Sequence[Sample]) -> int:
    """Return the number of pixels of all photos as they are read, from their headers."""
    sizes = (sample.size or photo_size(sample.image_path) for sample in samples)
    return sum(width * height for width, height in sizes)


def _labelled(sample: Sample) -> Points:
    if sample.points is None:
        raise DataError("expected annotated photos for training", f"{sample.name} without points")
    return sample.points


def _limited(scales: Scales, apart: float, longest: int) -> Scales:
    """Return scales with a lower limit that keeps heads ``apart`` and windows within the photo, but at most 1."""
    apart = apart if np.isfinite(apart) else 0.0
    low = max(scales.low, min(1.0, max(apart, scales.side / longest)))
    return scales._replace(low=min(low, scales.high))


def _cut(
    pixels: NDArray[np.uint8],
    points: Points,
    options: CropOptions,
    scales: Scales,
    random: np.random.Generator,
) -> tuple[NDArray[np.uint8], Points]:
    """Return a random window, enlarged to the crop; a photo smaller than the window is padded grey."""
    height, width = pixels.shape[:2]
    side = scales.side
    scale = float(np.exp(random.uniform(np.log(scales.low), np.log(scales.high))))
    if options.crop == 0:
        return _whole(pixels, points, scale)
    stretch = float(np.exp(random.uniform(-STRETCH, STRETCH) * options.variety)) if options.variety else 1.0
    wide, high = round(side / scale * stretch), round(side / scale / stretch)
    left, top = _corner(points, (width, height), (wide, high), options.crowded, random)
    part = pixels[top : top + high, left : left + wide]
    below, right = high - part.shape[0], wide - part.shape[1]
    if below or right:
        part = np.pad(part, ((0, below), (0, right), (0, 0)), constant_values=127)
    if options.journeys:
        resized = resample(part, side, side, random)
    else:
        method = cv2.INTER_AREA if min(wide, high) > side else cv2.INTER_LINEAR
        resized = np.asarray(cv2.resize(part, (side, side), interpolation=method), np.uint8)
    moved = points.shift(-left, -top).scale(side / wide, side / high)
    near = np.all((moved.xy > -32) & (moved.xy < side + 32), axis=1)
    return np.asarray(resized, np.uint8), moved.select(near)


def _whole(pixels: NDArray[np.uint8], points: Points, scale: float) -> tuple[NDArray[np.uint8], Points]:
    """Return a whole photo enlarged to sides that are multiples of 32."""
    height, width = pixels.shape[:2]
    size = (max(32, round(width * scale / 32) * 32), max(32, round(height * scale / 32) * 32))
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8), points.scale(size[0] / width, size[1] / height)


def _corner(
    points: Points,
    photo: tuple[int, int],
    window: tuple[int, int],
    crowded: float,
    random: np.random.Generator,
) -> tuple[int, int]:
    """Return left and top of a window: around a random head for the share ``crowded``, else anywhere."""
    rooms = [max(1, whole - part + 1) for whole, part in zip(photo, window, strict=True)]
    if crowded and len(points) and random.random() < crowded:
        # Anywhere around the head within the photo.
        corner = points.xy[random.integers(len(points))] - random.random(2) * window
        left, top = (int(np.clip(at, 0, room - 1)) for at, room in zip(corner, rooms, strict=True))
    else:
        left, top = (int(random.integers(room)) for room in rooms)
    return left, top


def _mosaic(
    windows: Sequence[tuple[NDArray[np.uint8], Points]], random: np.random.Generator
) -> tuple[NDArray[np.uint8], Points]:
    """Return a quarter of each of four windows at its place, with the heads in it and beyond the crop."""
    side = windows[0][0].shape[0]
    across, down = (int(side * random.uniform(0.3, 0.7)) for _ in "xy")
    pixels, heads = np.empty_like(windows[0][0]), []
    for number, (window, points) in enumerate(windows):
        left, right = ((0, across), (across, side))[number % 2]
        top, bottom = ((0, down), (down, side))[number // 2]
        pixels[top:bottom, left:right] = window[top:bottom, left:right]
        # A pixel's centre is a whole number: the quarter ends half a pixel before its first and after its last.
        # At the border of the crop, heads beyond it stay, as around any crop.
        low = [start - 0.5 if start else -np.inf for start in (left, top)]
        high = [end - 0.5 if end < side else np.inf for end in (right, bottom)]
        heads.append(points.xy[np.all((points.xy >= low) & (points.xy < high), axis=1)])
    return pixels, Points(np.concatenate(heads))


def _jitter(pixels: NDArray[np.uint8], strength: float, random: np.random.Generator) -> NDArray[np.uint8]:
    gain, offset = np.exp(random.normal(0, strength)), random.normal(0, strength * 64)
    values = np.clip(np.arange(256) * gain + offset + 128 * (1 - gain), 0, 255)
    if random.random() < 0.25:
        values = 255 * (values / 255) ** np.exp(random.normal(0, 2 * strength))
    pixels = np.asarray(cv2.LUT(pixels, values.astype(np.uint8)), np.uint8)
    if random.random() < 0.1:
        pixels = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if random.random() < 0.2:
        noise = random.normal(0, 25 * strength, pixels.shape)
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return pixels


def block_counts(points: Points, width: int, height: int, block: int = BLOCK) -> NDArray[np.float32]:
    """Return the (⌈height/block⌉, ⌈width/block⌉) number of points in each block of the frame."""
    columns, rows = np.floor((points.xy.T + 0.5) / block).astype(np.int64)
    counts = np.zeros((-(-height // block), -(-width // block)), np.float32)
    inside = (columns >= 0) & (columns < counts.shape[1]) & (rows >= 0) & (rows < counts.shape[0])
    np.add.at(counts, (rows[inside], columns[inside]), 1)
    return counts


@dataclass(frozen=True)
class collate:
    """Turns a list of (pixels, points) into a ``Batch`` with the codec's targets."""

    codec: Codec

    def __call__(self, items: Sequence[tuple[NDArray[np.uint8], Points]]) -> Batch:
        """Return the batch; all items have the same height and width."""
        height, width = items[0][0].shape[:2]
        targets = np.stack([self.codec.encode(points, width, height) for _, points in items])
        target = torch.from_numpy(targets if targets.dtype == np.uint8 else targets[:, None])
        images = torch.from_numpy(np.stack([pixels for pixels, _ in items])).permute(0, 3, 1, 2)
        return Batch(
            images=images,
            target=target,
            blocks=torch.from_numpy(np.stack([block_counts(p, width, height) for _, p in items])),
            points=[points.xy for _, points in items],
        )


def _other_camera(
    pixels: NDArray[np.uint8], strength: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Vary the camera: colour cast and saturation always, blur and JPEG sometimes."""
    gains = np.exp(random.normal(0, CAST * strength, 3))
    saturation = float(np.exp(random.normal(0, SATURATION * strength)))
    mixed = np.eye(3) * saturation + np.multiply(1 - saturation, GREY)
    pixels = np.asarray(cv2.transform(pixels, gains[:, None] * mixed), np.uint8)
    if random.random() < DEGRADED * strength:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.4, 1.4)), np.uint8)
    if random.random() < DEGRADED * strength:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 85))]
        written = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), quality)[1]
        read = np.asarray(cv2.imdecode(written, cv2.IMREAD_COLOR), np.uint8)
        pixels = np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), np.uint8)
    return pixels
