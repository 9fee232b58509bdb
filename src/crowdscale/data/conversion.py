"""Conversion: annotations from any format to any other, both ways where the format can carry it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from crowdscale.data.checks import photo_size
from crowdscale.data.folder import Folder
from crowdscale.data.formats import FORMATS, Format, Label
from crowdscale.data.opening import open_dataset
from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, OptionError, unknown_name
from crowdscale.files.writing import write_atomic

__all__ = ["Converted", "convert", "open_source", "target_format"]

Photos = Literal["none", "copy", "link"]

PHOTO_CHOICES = ("none", "copy", "link")


@dataclass(frozen=True)
class Converted:
    """What was written and what got lost."""

    files: int
    photos: int
    heads: int
    lost: tuple[str, ...]
    """Sentences on what the target does not carry."""


def open_source(source: str, format: str | None = None) -> list[Sample]:
    """Return the samples of ``NAME[/SPLIT]:PATH``, of a folder, or of an annotation file beside its photos."""
    path = Path(source)
    if path.is_file():
        return Folder(path.parent, annotations=path, format=format, unlabelled="skip", outside="keep").samples
    if path.is_dir():
        return Folder(path, format=format, unlabelled="skip", outside="keep").samples
    return open_dataset(source).samples


def target_format(target: Path, name: str | None) -> Format:
    """Return the format to write: the one named, or the only one that the target's suffix leaves.

    Raises:
        OptionError: The name is unknown, or the suffix leaves it open.
    """
    if name is not None:
        if name not in FORMATS:
            raise unknown_name("format", name, FORMATS)
        return FORMATS[name]
    guesses = {".csv": "table", ".xml": "cvat"}
    if target.suffix.lower() in guesses:
        return FORMATS[guesses[target.suffix.lower()]]
    raise OptionError("expected --to with one of " + ", ".join(FORMATS), f"none for {target}")


def convert(
    samples: Sequence[Sample], target: Path, to: Format, box: float = 0.0, photos: Photos = "none"
) -> Converted:
    """Write the samples' annotations in another format.

    Args:
        samples: Photos with points.
        target: A file for formats of one file, a folder for the others.
        to: The format.
        box: Side in pixels of the square drawn around points that have no box; 0 draws none.
        photos: Whether the photos are copied or linked to beside the annotations.

    Raises:
        DataError: The format needs boxes and there are none.
        OptionError: ``photos`` is unknown.
    """
    if photos not in PHOTO_CHOICES:
        raise unknown_name("choice for --photos", photos, PHOTO_CHOICES)
    labels = {_file_name(s): _label(s, box) for s in samples if s.points is not None}
    if not labels:
        raise DataError("expected annotated photos to convert", "none")
    folder = target.parent if to.one_file else target
    if to.one_file:
        assert to.write is not None  # formats of one file have it
        _write(target, to.write(labels))
    else:
        assert to.write_one is not None  # the others have this
        texts = {name: to.write_one(Path(name).name, label) for name, label in labels.items()}
        for name, text in texts.items():
            _write((folder / name).with_suffix(to.suffix), text)
    if photos != "none":
        for sample in samples:
            _bring(sample.image_path, folder / _file_name(sample), photos)
    heads = sum(len(label.points) for label in labels.values())
    return Converted(1 if to.one_file else len(labels), len(labels), heads, tuple(_lost(samples, labels, to)))


def _file_name(sample: Sample) -> str:
    return sample.name + sample.image_path.suffix


def _label(sample: Sample, box: float) -> Label:
    assert sample.points is not None  # the caller leaves the others out
    sizes = sample.sizes
    if sizes is None and box > 0:
        sizes = np.full((len(sample.points), 2), box)
    return Label(sample.points, sizes, photo_size(sample.image_path))


def _lost(samples: Sequence[Sample], labels: dict[str, Label], to: Format) -> list[str]:
    lost = []
    skipped = len(samples) - len(labels)
    if skipped:
        lost.append(f"{skipped} photos without labels were left out.")
    boxed = sum(label.sizes is not None for label in labels.values())
    if boxed and not to.boxes:
        lost.append(f"Sizes of heads are not carried by {to.name}.")
    if not to.points and boxed == 0:
        return lost
    if not to.points and any(s.sizes is None for s in samples if s.points is not None and len(s.points)):
        lost.append(f"{to.name} knows boxes alone: the squares around points are made up.")
    return lost


def _write(path: Path, text: str) -> None:
    write_atomic(path, lambda stream: stream.write(text.encode()))


def _bring(photo: Path, target: Path, how: Photos) -> None:
    """Copy or link a photo, unless it is there already."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and target.samefile(photo):
        return
    if how == "copy":
        write_atomic(target, lambda stream: shutil.copyfileobj(photo.open("rb"), stream))
        return
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    scratch.symlink_to(photo.resolve())
    scratch.replace(target)
