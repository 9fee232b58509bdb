"""Conversion of annotations from one format to another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from crowdscale.data.areas import Areas
from crowdscale.data.checks import photo_size
from crowdscale.data.classes import split_source
from crowdscale.data.folder import Folder
from crowdscale.data.formats import FORMATS, Format, Label
from crowdscale.data.formats.density import DENSITY_NPY, DENSITY_TIF
from crowdscale.data.opening import FOLDER, open_dataset
from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, OptionError, unknown_name
from crowdscale.files.writing import write_atomic

__all__ = ["WRITTEN", "Converted", "annotation_files", "convert", "open_source", "target_format"]

Photos = Literal["none", "copy", "link"]

PHOTO_CHOICES = ("none", "copy", "link")

WRITTEN = {each.name: each for each in (*FORMATS.values(), DENSITY_NPY, DENSITY_TIF) if each.written}
"""The formats that can be written, by name."""


@dataclass(frozen=True)
class Converted:
    """The result of a conversion."""

    files: int
    photos: int
    heads: int
    lost: tuple[str, ...]
    """Sentences on values that the target does not carry."""


def open_source(
    source: str, format: str | None = None, classes: Sequence[str] = ()
) -> tuple[list[Sample], list[str]]:
    """Return samples, and sentences on what was changed when they were read.

    Args:
        source: ``NAME[/SPLIT]:PATH``, a folder, or an annotation file beside its photos; ``?class=NAME`` behind it
            chooses classes as well.
        format: The annotation's format, where the file is ambiguous.
        classes: The classes that are read; needed where there are several.
    """
    if not Path(source).exists():
        source, own = split_source(source)
        classes = (*classes, *own)
    path = Path(source.removeprefix(f"{FOLDER}:")).expanduser()
    if path.is_file():
        folder = Folder(path.parent, "skip", "keep", annotations=path, format=format, classes=classes)
    elif path.is_dir():
        folder = Folder(path, "skip", "keep", format=format, classes=classes)
    else:
        return open_dataset(source).samples, []
    if folder.unread and not folder.samples:
        raise DataError(
            f"expected annotated photos in {folder.root}",
            f"files of no known kind: {', '.join(path.name for path in folder.unread[:5])}",
            "Name the format with --from (crowdscale data list shows all)",
        )
    return folder.samples, folder.notes


def target_format(target: Path, name: str | None) -> Format:
    """Return the format to write: the one named, or the only one that the target's suffix leaves.

    Raises:
        OptionError: The name is unknown, or the suffix leaves it open.
    """
    if name is not None:
        if name not in WRITTEN:
            raise unknown_name("format", name, WRITTEN)
        return WRITTEN[name]
    guesses = {".csv": "table", ".xml": "cvat"}
    if target.suffix.lower() in guesses:
        return WRITTEN[guesses[target.suffix.lower()]]
    raise OptionError("expected --to with one of " + ", ".join(WRITTEN), f"none for {target}")


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
    _write_labels(labels, target, to)
    if photos != "none":
        for sample in samples:
            _bring(sample.image_path, folder / _file_name(sample), photos)
    heads = sum(len(label.points) for label in labels.values())
    return Converted(1 if to.one_file else len(labels), len(labels), heads, tuple(_lost(samples, labels, to)))


def _write_labels(labels: dict[str, Label], target: Path, to: Format) -> None:
    """Write all labels to one file, or each to its own in a folder, as the format has it."""
    for name, content in annotation_files(labels, to):
        path = target if to.one_file else target / name
        write_atomic(path, lambda stream, content=content: stream.write(content))  # type: ignore[misc]


def annotation_files(labels: Mapping[str, Label], to: Format) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of each file of annotations, one after the other.

    Args:
        labels: By the photo's path.
        to: The format; one of one file for all photos gives ``NAME.suffix``, the table ``points.csv``.

    Raises:
        DataError: The format cannot hold a label.
    """
    if to.one_file:
        assert to.write is not None  # formats of one file have it
        yield ("points" if to.name == "table" else to.name) + to.suffix, to.write(labels).encode()
        return
    assert to.write_one is not None  # the others have this
    for name, label in labels.items():
        content = to.write_one(Path(name).name, label)
        yield _own_target(name, to), content.encode() if isinstance(content, str) else content


def _file_name(sample: Sample) -> str:
    return sample.name + sample.image_path.suffix


def _label(sample: Sample, box: float) -> Label:
    assert sample.points is not None  # the caller leaves the others out
    sizes = sample.sizes
    if sizes is None and box > 0:
        sizes = np.full((len(sample.points), 2), box)
    mask = sample.mask if isinstance(sample.mask, Areas) else Areas((0, 0))
    return Label(sample.points, sizes, photo_size(sample.image_path), mask.ignored, mask.only)


def _lost(samples: Sequence[Sample], labels: dict[str, Label], to: Format) -> list[str]:
    lost = []
    skipped = len(samples) - len(labels)
    if skipped:
        lost.append(f"{skipped} photos without labels were left out.")
    masked = sum(sample.mask is not None for sample in samples)
    carried = sum(bool(label.ignored or label.only) for label in labels.values()) if to.areas else 0
    if masked > carried:
        lost.append(f"Ignored areas of {masked - carried} photos are not carried by {to.name}.")
    boxed = sum(label.sizes is not None for label in labels.values())
    if boxed and not to.boxes:
        lost.append(f"Sizes of heads are not carried by {to.name}.")
    if not to.points and boxed == 0:
        return lost
    if not to.points and _has_bare_points(samples):
        lost.append(f"{to.name} knows boxes alone: the squares around points are made up.")
    return lost


def _has_bare_points(samples: Sequence[Sample]) -> bool:
    """Return whether a sample has heads without sizes."""
    return any(s.sizes is None for s in samples if s.points is not None and len(s.points))


def _own_target(name: str, to: Format) -> str:
    """Return the path of a photo's own annotation from that of the photo."""
    return to.target(name) if to.target else str(PurePosixPath(name).with_suffix(to.suffix))


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
