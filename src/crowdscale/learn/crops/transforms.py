"""Training crops: a sample and a number → an augmented crop with its points, always the same for the same number.

Each crop draws from a generator seeded by (seed, index) alone. Workers share no random state, and a resumed run gets the
same crops as an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from crowdscale.data.checks import photo_size
from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, OptionError
from crowdscale.learn.crops.batches import Crop
from crowdscale.learn.crops.journeys import resample, travel
from crowdscale.learn.crops.negatives import empty_crop
from crowdscale.points import Points

__all__ = ["CropOptions", "Crops"]

MOST_HELD = 6_000_000_000
"""Most bytes of decoded photos in memory; beyond that each crop reads its photo anew."""


QUILTED = 0.6
"""Scale of a quilt's windows relative to other crops."""
STRETCH = 0.2
"""Largest logarithm of a side's random enlargement against the mean of both, at variety 1."""
CAST, SATURATION = 0.1, 0.3
"""Standard deviations of the logarithms of channel gains and saturation, at variety 1."""
MIXED = 1e-3
"""Share of ignored pixels in a resized one up to which it counts: rounding."""
GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a grey of the same brightness."""
DEGRADED = 0.25
"""Share of blurred crops, and of JPEG-compressed ones, at variety 1."""


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
    twins: bool = False
    """Crops come in pairs: the second is the first with other colours, noise, blur and damage, for --consistency."""
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


class Crops(Dataset[Crop]):
    """A numbered sequence of crops of samples; decoded photos stay in memory if they fit.

    Args:
        samples: Photos with points; heads where a photo's mask does not count are left out.
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
        self.points = [_labelled(sample).shift(*aside) for sample in samples]  # positions of counted heads
        self.spacings = [points.spacing() for points in self.points] if options.least_spacing else []
        self.scales = Scales(options.crop, options.scale_low, options.scale_high)
        self.samples = samples
        held = _pixels(samples) * 3 <= MOST_HELD if preload is None else preload
        self.photos = [sample.read() for sample in samples] if held else None
        self.masks = [sample.read_mask() for sample in samples] if held else None
        self.chances = np.asarray(weights, float) / np.sum(weights)
        self.options, self.length, self.seed = options, length, seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Crop:
        random = np.random.default_rng([self.seed, index])
        pixels, points, counted = self._flipped(
            np.random.default_rng([self.seed, index - index % 2, 1]) if self.options.twins else random
        )
        if self.options.jitter:
            pixels = _jitter(pixels, self.options.jitter, random)
        if self.options.variety:
            pixels = _other_camera(pixels, self.options.variety, random)
        if self.options.journeys and random.random() < self.options.journeys:
            pixels = travel(pixels, random)
        return Crop(pixels, points, counted)

    def _flipped(self, random: np.random.Generator) -> Crop:
        """Return a composed crop, every other one mirrored."""
        pixels, points, counted = self._composed(random)
        if self.options.flip and random.random() < 0.5:
            pixels, points = np.ascontiguousarray(pixels[:, ::-1]), points.flip(pixels.shape[1])
            counted = None if counted is None else np.ascontiguousarray(counted[:, ::-1])
        return Crop(pixels, points, counted)

    def _composed(self, random: np.random.Generator) -> Crop:
        """Return a quilt, a mosaic or a window of one photo."""
        if self.options.quilt and random.random() < self.options.quilt:
            return self._quilt(random)
        if self.options.mosaic and random.random() < self.options.mosaic:
            return _mosaic([self._window(random) for _ in range(4)], random)
        return self._window(random)

    def _quilt(self, random: np.random.Generator) -> Crop:
        """Return nine windows in three rows, with the heads in each, at ``QUILTED`` of the usual scales."""
        whole, side = self.options.crop, -(-self.options.crop // 3)
        small = Scales(side, self.scales.low * QUILTED, self.scales.high * QUILTED)
        pixels, heads = np.empty((3 * side, 3 * side, 3), np.uint8), []
        counted = np.ones(pixels.shape[:2], bool)
        for number in range(9):
            left, top = side * (number % 3), side * (number // 3)
            place = slice(top, top + side), slice(left, left + side)
            pixels[place], points, kept = self._window(random, small)
            counted[place] = True if kept is None else kept
            inside = np.all((points.xy >= -0.5) & (points.xy < side - 0.5), axis=1)
            heads.append(points.xy[inside] + (left, top))
        shown = np.ascontiguousarray(pixels[:whole, :whole])
        return Crop(shown, Points(np.concatenate(heads)), _or_none(counted[:whole, :whole]))

    def _window(self, random: np.random.Generator, scales: Scales | None = None) -> Crop:
        """Return a window of a random photo, or one without people."""
        chosen = int(random.choice(len(self.chances), p=self.chances))
        sample = self.samples[chosen]
        pixels = self.photos[chosen] if self.photos is not None else sample.read()
        mask = self.masks[chosen] if self.masks is not None else sample.read_mask()
        options, scales = self.options, scales or self.scales
        if options.negatives and random.random() < options.negatives:
            empty = empty_crop(pixels, self.points[chosen], scales.side, random, mask)
            if empty is not None:
                return Crop(empty, Points())
        if options.least_spacing:
            scales = _limited(
                scales, options.least_spacing / (self.spacings[chosen] or np.nan), max(pixels.shape[:2])
            )
        return _cut(Crop(pixels, self.points[chosen], mask), options, scales, random)


def _pixels(samples: Sequence[Sample]) -> int:
    """Return the number of pixels of all photos as they are read, from their headers."""
    sizes = (sample.size or photo_size(sample.image_path) for sample in samples)
    return sum(width * height for width, height in sizes)


def _labelled(sample: Sample) -> Points:
    counted = sample.without_ignored()
    if counted.points is None:
        raise DataError("expected annotated photos for training", f"{sample.name} without points")
    return counted.points


def _limited(scales: Scales, apart: float, longest: int) -> Scales:
    """Return scales with a lower limit that keeps heads ``apart`` and windows within the photo, but at most 1."""
    apart = apart if np.isfinite(apart) else 0.0
    low = max(scales.low, min(1.0, max(apart, scales.side / longest)))
    return scales._replace(low=min(low, scales.high))


def _cut(photo: Crop, options: CropOptions, scales: Scales, random: np.random.Generator) -> Crop:
    """Return a random window, enlarged to the crop; a photo smaller than the window is padded grey."""
    pixels, points, mask = photo
    height, width = pixels.shape[:2]
    side = scales.side
    scale = float(np.exp(random.uniform(np.log(scales.low), np.log(scales.high))))
    if options.crop == 0:
        return _whole(photo, scale)
    stretch = float(np.exp(random.uniform(-STRETCH, STRETCH) * options.variety)) if options.variety else 1.0
    wide, high = round(side / scale * stretch), round(side / scale / stretch)
    left, top = _corner(photo, (width, height), (wide, high), options.crowded, random)
    part = pixels[top : top + high, left : left + wide]
    below, right = high - part.shape[0], wide - part.shape[1]
    if below or right:
        part = np.pad(part, ((0, below), (0, right), (0, 0)), constant_values=127)
    if options.journeys:
        resized = resample(part, side, side, random)
    else:
        method = cv2.INTER_AREA if min(wide, high) > side else cv2.INTER_LINEAR
        resized = np.asarray(cv2.resize(part, (side, side), interpolation=method), np.uint8)
    if mask is not None:
        shown = np.pad(
            mask[top : top + high, left : left + wide], ((0, below), (0, right)), constant_values=True
        )
        mask = _resized_mask(shown, (side, side))
    moved = points.shift(-left, -top).scale(side / wide, side / high)
    near = np.all((moved.xy > -32) & (moved.xy < side + 32), axis=1)
    return Crop(np.asarray(resized, np.uint8), moved.select(near), mask)


def _whole(photo: Crop, scale: float) -> Crop:
    """Return a whole photo enlarged to sides that are multiples of 32."""
    pixels, points, mask = photo
    height, width = pixels.shape[:2]
    size = (max(32, round(width * scale / 32) * 32), max(32, round(height * scale / 32) * 32))
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    moved = points.scale(size[0] / width, size[1] / height)
    return Crop(np.asarray(resized, np.uint8), moved, None if mask is None else _resized_mask(mask, size))


def _resized_mask(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Return a mask at (width, height): a pixel counts where no ignored one is mixed into it; None where all count."""
    method = cv2.INTER_AREA if min(mask.shape) > min(size) else cv2.INTER_LINEAR
    share = cv2.resize(mask.astype(np.float32), size, interpolation=method)
    return _or_none(np.asarray(share > 1 - MIXED))


def _or_none(counted: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Return a mask, or None where all of it counts."""
    return None if counted.all() else np.ascontiguousarray(counted)


def _corner(
    photo: Crop,
    size: tuple[int, int],
    window: tuple[int, int],
    crowded: float,
    random: np.random.Generator,
) -> tuple[int, int]:
    """Return left and top of a window: around a random head for the share ``crowded``, else anywhere.

    In a photo with ignored areas, anywhere is around a random pixel that counts.
    """
    rooms = [max(1, whole - part + 1) for whole, part in zip(size, window, strict=True)]
    if crowded and len(photo.points) and random.random() < crowded:
        centre = photo.points.xy[random.integers(len(photo.points))]
    elif photo.counted is not None and photo.counted.any():
        centre = _counted_pixel(photo.counted, random)
    else:
        left, top = (int(random.integers(room)) for room in rooms)
        return left, top
    # Anywhere around the centre within the photo.
    corner = centre - random.random(2) * window
    left, top = (int(np.clip(at, 0, room - 1)) for at, room in zip(corner, rooms, strict=True))
    return left, top


def _counted_pixel(counted: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.float64]:
    """Return x, y of a random pixel of those that count, each as likely as the others."""
    ends = np.cumsum(np.count_nonzero(counted, axis=1))
    number = int(random.integers(ends[-1]))
    row = int(np.searchsorted(ends, number, side="right"))
    columns = np.flatnonzero(counted[row])
    return np.array((columns[number - ends[row]], row), np.float64)  # counted from the row's end


def _mosaic(windows: Sequence[Crop], random: np.random.Generator) -> Crop:
    """Return a quarter of each of four windows at its place, with the heads in it and beyond the crop."""
    side = windows[0].pixels.shape[0]
    across, down = (int(side * random.uniform(0.3, 0.7)) for _ in "xy")
    pixels, heads = np.empty_like(windows[0].pixels), []
    counted = np.ones((side, side), bool)
    for number, (window, points, kept) in enumerate(windows):
        left, right = ((0, across), (across, side))[number % 2]
        top, bottom = ((0, down), (down, side))[number // 2]
        pixels[top:bottom, left:right] = window[top:bottom, left:right]
        if kept is not None:
            counted[top:bottom, left:right] = kept[top:bottom, left:right]
        # A pixel's centre is a whole number: the quarter ends half a pixel before its first and after its last.
        # At the border of the crop, heads beyond it stay, as around any crop.
        low = [start - 0.5 if start else -np.inf for start in (left, top)]
        high = [end - 0.5 if end < side else np.inf for end in (right, bottom)]
        heads.append(points.xy[np.all((points.xy >= low) & (points.xy < high), axis=1)])
    return Crop(pixels, Points(np.concatenate(heads)), _or_none(counted))


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
