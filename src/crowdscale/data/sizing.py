"""Resizes photos at load to a protocol's limits, with a cache that several workers may share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from crowdscale.data.checks import photo_size
from crowdscale.data.protocol import SizeLimits
from crowdscale.data.sample import Sample

__all__ = ["Sized", "limit_sizes"]


class Sized(Sequence[Sample]):
    """Samples whose photos keep to limits; each photo's header is opened when its sample is asked for.

    Args:
        samples: The samples at their own size.
        limits: The limits.
        cache: Folder for resized photos; None resizes anew at each read.
    """

    def __init__(self, samples: Sequence[Sample], limits: SizeLimits, cache: Path | None = None) -> None:
        self.samples, self.limits, self.cache = samples, limits, cache

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]  # no slices
        sample = self.samples[index]
        own = photo_size(sample.image_path)
        size = self.limits.fit(own)
        return sample if size == own else sample.resized(size, own, self.cache)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


def limit_sizes(samples: Sequence[Sample], limits: SizeLimits, cache: Path | None = None) -> Sequence[Sample]:
    """Return the samples with photos and points resized to ``limits``; the same where there are none."""
    return samples if limits == SizeLimits() else Sized(samples, limits, cache)
