"""Photos of several domains: data sets and folders, each with its name, without the strips that nobody annotated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from crowdscale.data.checks import photo_size
from crowdscale.data.lists import domain_of, read_list, split_samples
from crowdscale.data.opening import open_dataset
from crowdscale.data.sample import Sample

__all__ = ["held_out", "parse_borders"]


def held_out(
    data: Sequence[str], listed: Path | None, borders: Mapping[str, float]
) -> dict[str, list[Sample]]:
    """Return the listed photos by domain.

    Args:
        data: ``NAME[/SPLIT]:PATH`` each.
        listed: File with ``domain/name`` entries; None takes all photos.
        borders: Share of a side that is left out along the edges of a domain's photos.

    Raises:
        DataError: A set or the list cannot be read.
    """
    names = read_list(listed) if listed else None
    found: dict[str, list[Sample]] = {}
    for text in data:
        samples = open_dataset(text).samples
        for sample in split_samples(samples, names)[1] if names else samples:
            domain = domain_of(sample)
            border = borders.get(domain, 0.0)
            size = sample.size or photo_size(sample.image_path)
            found.setdefault(domain, []).append(sample.trimmed(border, size) if border else sample)
    return found


def parse_borders(texts: Sequence[str]) -> dict[str, float]:
    """Return ``{"scut_a": 0.03}`` for ``scut_a=0.03``; raises ValueError for other texts."""
    pairs = (text.partition("=") for text in texts)
    return {name: float(share) for name, _, share in pairs}
