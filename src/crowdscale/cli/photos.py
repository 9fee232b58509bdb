"""Annotated photos of ``--data``, ``--only`` and ``--hold-out``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crowdscale.errors import OptionError

if TYPE_CHECKING:
    from crowdscale.data.opening import Dataset
    from crowdscale.data.sample import Sample

__all__ = ["chosen", "open_chosen", "set_label"]


def chosen(samples: Sequence[Sample], only: Path | None, hold_out: Path | None = None) -> list[Sample]:
    """Return the samples of the list ``only`` without those of ``hold_out``; None is no list."""
    from crowdscale.data.lists import read_list, split_samples

    if only is not None:
        samples = split_samples(samples, read_list(only))[1]
    if hold_out is not None:
        samples = split_samples(samples, read_list(hold_out))[0]
    return list(samples)


def open_chosen(
    data: Sequence[str],
    only: Path | None,
    hold_out: Path | None = None,
    borders: Sequence[float] | None = None,
) -> list[tuple[Dataset, list[Sample]]]:
    """Return each data set with its chosen samples.

    Args:
        data: Values of ``--data``; equal ones count once.
        only: List of the photos to use; None is no list.
        hold_out: List of the photos to leave out; None is no list.
        borders: Share of a side that is left out along the edges of each data set's photos.

    Raises:
        OptionError: There is not one border for each data set.
    """
    from crowdscale.data.opening import open_dataset

    if borders and len(borders) != len(data):
        raise OptionError("expected one --border for each --data", f"{len(borders)} for {len(data)}")
    opened = [
        (open_dataset(text), border)
        for text, border in dict(zip(data, borders or [0.0] * len(data), strict=True)).items()
    ]
    return [(dataset, trimmed(chosen(dataset.samples, only, hold_out), border)) for dataset, border in opened]


def trimmed(samples: list[Sample], border: float) -> list[Sample]:
    """Return the samples without a share of a side along their edges."""
    from crowdscale.data.checks import photo_size

    return (
        [each.trimmed(border, each.size or photo_size(each.image_path)) for each in samples]
        if border
        else samples
    )


def set_label(dataset: Dataset) -> str:
    """Return a data set's name, split and release."""
    return f"{dataset.name}/{dataset.split} {dataset.release}".strip(" /")
