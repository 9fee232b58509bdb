"""One photo of a data set with its annotated heads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.data.areas import inside_mask
from crowdscale.data.checks import photo_size
from crowdscale.errors import DataError, OptionError
from crowdscale.files.decoder import opened
from crowdscale.files.images import read_image, resize_image, write_image
from crowdscale.files.matlab import read_mat
from crowdscale.points import Points

__all__ = ["Mask", "Region", "Sample", "SampleSequence"]


class Region(Protocol):
    """What of a photo is annotated: heads elsewhere are neither counted nor trained on."""

    def read(self) -> NDArray[np.bool_]:
        """Return the (h, w) mask of the pixels that count, at the photo's own size."""
        ...


@dataclass(frozen=True)
class Mask:
    """A region of interest on disk: heads outside it are neither annotated nor counted.

    Args:
        path: A picture (non-zero counts) or a .mat file.
        variable: Place of the mask in a .mat file: ``BW``, or ``roi.mask`` for a field of a struct.
    """

    path: Path
    variable: str = ""

    def read(self) -> NDArray[np.bool_]:
        """Return the (h, w) mask. Raises DataError where it cannot be read."""
        try:
            if self.path.suffix.lower() != ".mat":
                with opened(self.path, str(self.path)) as image:
                    return np.asarray(image.convert("L")) > 0
            value: Any = read_mat(self.path, "a mask (region of interest)")
            for name in self.variable.split("."):
                value = value[name]
            return np.asarray(value, dtype=np.float64) > 0
        except DataError:
            raise
        except Exception as error:  # decoders raise a dozen kinds for damaged bytes; each is one broken file
            raise DataError(
                "expected a mask (region of interest)", f"{self.path}, which cannot be read ({error})"
            ) from error


@dataclass(frozen=True)
class Sample:
    """One photo of a data set with its annotation, read lazily.

    Args:
        name: Identifies the photo within its set, for instance ``IMG_12``.
        image_path: The photo's file.
        points: The annotated heads in pixels of the photo as it is read; None where the set gives no labels.
        sizes: (n, 2) width and height of each head's box in pixels, where the set gives boxes.
        attributes: Facts on the photo from the set: ``set``, ``split``, density level, weather, luminance, …
        mask: What of the photo counts, at its own size: the set's region of interest, or all but ignored areas.
        size: (width, height) to which the photo is resized when it is read; None leaves it as it is.
        cache: Folder that keeps resized photos, safe with several workers; None keeps none.
        fields: (n,) further numbers of each head by name, such as ``occlusion``.
    """

    name: str
    image_path: Path
    points: Points | None
    sizes: NDArray[np.float64] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    mask: Region | None = None
    size: tuple[int, int] | None = None
    cache: Path | None = None
    fields: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    border: tuple[int, int] = (0, 0)
    """Pixels left out at both sides and at top and bottom of the photo as it is read."""

    @property
    def whole(self) -> bool:
        """Whether the photo is read as its file has it, neither resized nor trimmed."""
        return self.size is None and self.border == (0, 0)

    def read(self) -> NDArray[np.uint8]:
        """Return the photo as (h, w, 3) RGB uint8. Raises ImageError where it cannot be read."""
        pixels, (x, y) = self._read_whole(), self.border
        return np.ascontiguousarray(pixels[y : len(pixels) - y, x : pixels.shape[1] - x])

    def read_mask(self) -> NDArray[np.bool_] | None:
        """Return the (h, w) mask of the pixels that count, as large as ``read`` gives the photo; None where all do.

        Raises:
            DataError: The mask's file cannot be read.
        """
        if self.mask is None:
            return None
        mask, (x, y) = self.mask.read(), self.border
        size = self.size or photo_size(self.image_path)
        if mask.shape != size[::-1]:
            mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        return np.ascontiguousarray(mask[y : len(mask) - y, x : mask.shape[1] - x])

    def without_ignored(self) -> Sample:
        """Return the sample without the heads where its mask does not count; the same without a mask or heads."""
        mask = self.read_mask() if self.points is not None else None
        if mask is None or self.points is None:
            return self
        return self._select(inside_mask(self.points, mask))

    def _select(self, kept: NDArray[np.bool_]) -> Sample:
        """Return the sample with these of its heads."""
        assert self.points is not None  # the callers have looked
        return replace(
            self,
            points=self.points.select(kept),
            sizes=None if self.sizes is None else self.sizes[kept],
            fields={name: values[kept] for name, values in self.fields.items()},
        )

    def _read_whole(self) -> NDArray[np.uint8]:
        if self.size is None:
            return read_image(self.image_path).pixels
        kept = self._cached()
        if kept is not None and kept.is_file():
            return read_image(kept).pixels
        pixels = resize_image(read_image(self.image_path).pixels, *self.size)
        if kept is not None:
            write_image(kept, pixels)  # whole or not at all: of several workers the last one wins
        return pixels

    def _cached(self) -> Path | None:
        """Return the cached file of the resized photo; its name changes with the photo, its date and the size."""
        if self.cache is None or self.size is None:
            return None
        stamp = self.image_path.stat()
        key = f"{self.image_path.resolve()} {stamp.st_mtime_ns} {stamp.st_size} {self.size}"
        return self.cache / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.png"

    def resized(self, size: tuple[int, int], own: tuple[int, int], cache: Path | None = None) -> Sample:
        """Return the sample of the photo resized from its ``own`` (width, height) to ``size``."""
        x, y = size[0] / own[0], size[1] / own[1]
        points = None if self.points is None else self.points.scale(x, y)
        sizes = None if self.sizes is None else self.sizes * (x, y)
        return replace(self, points=points, sizes=sizes, size=size, cache=cache)

    def trimmed(self, share: float, own: tuple[int, int]) -> Sample:
        """Return the sample without a strip along each edge of its photo, where heads are often not annotated.

        Args:
            share: Width of the strip as a share of the photo's side, at least 0 and below 0.5.
            own: (width, height) of the photo as it is read.

        Raises:
            OptionError: The share is not in that range.
            DataError: The sample is trimmed already.
        """
        if not 0 <= share < 0.5:
            raise OptionError("expected a border from 0 to below 0.5", str(share))
        if self.border != (0, 0):
            raise DataError("expected a photo without a border", self.name)
        x, y = (round(side * share) for side in own)
        if self.points is None:
            return replace(self, border=(x, y))
        moved = self.points.shift(-x, -y)
        inside = np.all((moved.xy >= -0.5) & (moved.xy < np.subtract(own, (2 * x, 2 * y)) - 0.5), axis=1)
        return replace(self, border=(x, y), points=moved)._select(inside)


class SampleSequence:
    """A data set whose ``samples`` are its items."""

    samples: list[Sample]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)
