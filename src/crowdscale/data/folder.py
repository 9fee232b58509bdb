"""Your own photos and points: a folder of photos, annotated in any of the common formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from crowdscale.data.checks import Outside, check_outside_choice, check_points, is_outside, photo_size
from crowdscale.data.formats import FORMATS, Format, Label, is_coco, is_labelstudio, load_json
from crowdscale.data.sample import Sample
from crowdscale.errors import CrowdscaleError, DataError, unknown_name
from crowdscale.files.finding import find_images

__all__ = ["Folder", "Scan", "scan_folder"]

TABLE = "points.csv"
"""The one table for all photos, in the root."""

HOW_TO = (
    "Put the points (x, y in pixels) beside each photo as NAME.csv or NAME.json, or of all photos into "
    f"{TABLE} with the columns image,x,y; an empty NAME.csv or the row 'image,,' says that nobody is there. "
    "COCO, YOLO, Pascal VOC, Label Studio and CVAT are read as well"
)

BESIDE = {".csv": "csv", ".json": "json", ".xml": "voc", ".txt": "yolo"}
"""Formats of a file beside a photo, by its suffix."""

PARALLEL = {"labels": ("yolo", ".txt"), "Annotations": ("voc", ".xml")}
"""Folders in the root that mirror the photos' own, with the format that they hold."""


@dataclass
class Scan:
    """What a folder holds: photos by name, the labels that could be read, and each problem met."""

    photos: dict[str, Path]
    labels: dict[str, tuple[str, Label]] = field(default_factory=dict)
    """Name → where it was read and the label."""
    problems: list[tuple[str, CrowdscaleError]] = field(default_factory=list)
    """(photo's name or file, what is wrong)."""

    @property
    def lacking(self) -> list[str]:
        """Photos without a label of which nothing else is wrong."""
        known = {name for name, _ in self.problems}
        return [name for name in self.photos if name not in self.labels and name not in known]


class Folder:
    """A folder of your own photos with the positions of the heads in them.

    The folder and its sub-folders are searched for photos. The points of ``NAME.jpg`` stand in one of

    - ``NAME.csv`` beside it: columns x,y (and width,height) with or without a header; an empty file
      means nobody;
    - ``NAME.json`` beside it: ``[[x, y], …]`` or ``{"points": [[x, y], …]}``;
    - ``points.csv`` in the root: the columns image,x,y, where image is the path from the root,
      with or without its suffix; the row ``NAME.jpg,,`` means nobody;
    - ``NAME.xml`` (Pascal VOC) beside it or in ``Annotations``, ``NAME.txt`` (YOLO) beside it or in ``labels``;
    - one JSON (COCO, Label Studio) or XML (CVAT) in the root, told by what it holds.

    x runs to the right and y down, in pixels of the upright photo, the first pixel's centre at 0. Of boxes
    the centre is the point. A sample's name is the photo's path from the root without suffix. Licence and
    citation are yours.

    Args:
        root: The folder.
        unlabelled: What happens with a photo without points: ``"error"`` or ``"skip"``.
        outside: What happens with points outside their photo: ``"error"``, ``"drop"`` or ``"keep"``.
        annotations: The annotation's file or folder, where it is not to be searched for.
        format: Its format by name, where it is not to be told from the file.

    Raises:
        DataError: The folder is missing, photos have no points, or a file of points is not sound.
        ImageError: The folder holds no photo, or one that cannot be opened.
    """

    def __init__(
        self,
        root: str | Path,
        unlabelled: Literal["error", "skip"] = "error",
        outside: Outside = "error",
        annotations: str | Path | None = None,
        format: str | None = None,
    ) -> None:
        if unlabelled not in ("error", "skip"):
            raise unknown_name("choice for unlabelled photos", unlabelled, ("error", "skip"))
        check_outside_choice(outside)
        self.root = Path(root)
        scan = scan_folder(self.root, annotations, format)
        if scan.problems:
            raise scan.problems[0][1]
        if scan.lacking and unlabelled == "error":
            raise unlabelled_error(self.root, scan.lacking, len(scan.photos))
        self.samples = [
            _sample(name, self.root, scan.photos[name], *scan.labels[name], outside)
            for name in scan.photos
            if name in scan.labels
        ]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)


def scan_folder(root: Path, annotations: str | Path | None = None, format: str | None = None) -> Scan:
    """Return photos and labels of a folder; what is wrong with one photo does not stop the others.

    Raises:
        DataError: The folder is missing or the annotation that was named cannot be read.
        ImageError: The folder holds no photo.
    """
    if format is not None and format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    if not root.is_dir():
        raise DataError("expected a folder of photos", f"{root}, which is none", "Check the path")
    scan = _named_photos(root)
    named = None if annotations is None else Path(annotations)
    found: dict[str, list[tuple[str, Label]]] = {}
    if named is None or named.is_dir():
        _read_each(scan, found, root, named, format)
    for file, kind in _one_file_sources(root, named, format, scan):
        _take(scan, found, file, kind)
    for name, sources in found.items():
        if len(sources) > 1:
            names = " and ".join(Path(source.split(" for ")[0]).name for source, _ in sources)
            expected = f"expected the points of {scan.photos[name]} in one place"
            scan.problems.append((name, DataError(expected, names, "Remove all but one")))
        else:
            scan.labels[name] = sources[0]
    return scan


def _named_photos(root: Path) -> Scan:
    """Return the photos under ``root`` by their path from there without suffix."""
    scan = Scan({})
    for path in find_images([root]):
        name = path.relative_to(root).with_suffix("").as_posix()
        if name in scan.photos:
            clash = f"{scan.photos[name].name} and {path.name}"
            error = DataError(f"expected each name of a photo once in {root}", clash, "Rename one of them")
            scan.problems.append((name, error))
        else:
            scan.photos[name] = path
    return scan


def _one_file_sources(
    root: Path, named: Path | None, format: str | None, scan: Scan
) -> list[tuple[Path, Format]]:
    """Return the files that label many photos, with their formats."""
    if named is not None:
        if not named.exists():
            raise DataError("expected an annotation", f"nothing at {named}", "Check the path")
        if named.is_dir():
            return []
        kind = FORMATS[format] if format else _tell(named, named=True)
        if kind is None or not kind.one_file:
            raise DataError("expected one annotation for all photos", f"{named}", "Name its format")
        return [(named, kind)]
    if format is not None and not FORMATS[format].one_file:
        return []
    beside = {name for name in scan.photos if "/" not in name}
    files = [path for path in sorted(root.iterdir()) if path.is_file() and path.stem not in beside]
    found = [(path, kind) for path in files if (kind := _tell(path)) is not None]
    return [(path, kind) for path, kind in found if format in (None, kind.name)]


def _tell(path: Path, named: bool = False) -> Format | None:
    """Return the format of a file that labels many photos, told by name and content; None for other files.

    A CSV is such a table only where the user named it, or under its own name.
    """
    if path.name == TABLE or (named and path.suffix.lower() == ".csv"):
        return FORMATS["table"]
    if path.suffix.lower() == ".xml":
        return FORMATS["cvat"]
    if path.suffix.lower() == ".json":
        try:
            content = load_json(path)
        except DataError:
            return FORMATS["coco"]  # whose reader says what is wrong with the file
        return (
            FORMATS["coco"]
            if is_coco(content)
            else FORMATS["labelstudio"]
            if is_labelstudio(content)
            else None
        )
    return None


def _take(scan: Scan, found: dict[str, list[tuple[str, Label]]], file: Path, kind: Format) -> None:
    """Add what one file says of many photos."""
    assert kind.read is not None  # kinds of one file have it
    try:
        labels = kind.read(file)
    except CrowdscaleError as error:
        scan.problems.append((file.name, error))
        return
    names = {path.relative_to(_root_of(scan)).as_posix(): name for name, path in scan.photos.items()}
    names |= {name: name for name in scan.photos}
    bases: dict[str, list[str]] = {}
    for name, path in scan.photos.items():
        bases.setdefault(path.name, []).append(name)
    for key, label in labels.items():
        plain = Path(key).name
        chosen = names.get(key) or (bases[plain][0] if len(bases.get(plain, ())) == 1 else None)
        if chosen is None:
            problem = DataError(
                f"expected a photo's name in {file}{label.where}", repr(key), "Correct or remove it"
            )
            scan.problems.append((key, problem))
        else:
            found.setdefault(chosen, []).append((f"{file} for {scan.photos[chosen].name}", label))


def _root_of(scan: Scan) -> Path:
    name, path = next(iter(scan.photos.items()))
    return path.parents[name.count("/")]


def _read_each(
    scan: Scan,
    found: dict[str, list[tuple[str, Label]]],
    root: Path,
    named: Path | None,
    format: str | None,
) -> None:
    """Add the files that label one photo each."""
    for name, photo in scan.photos.items():
        for path, kind in _files_of(name, photo, root, named):
            if path == root / TABLE or format not in (None, kind.name) or not path.is_file():
                continue
            assert kind.read_one is not None  # kinds beside a photo have it
            try:
                label = kind.read_one(path, partial(photo_size, photo))
                found.setdefault(name, []).append((str(path), label))
            except CrowdscaleError as error:
                scan.problems.append((name, error))


def _files_of(name: str, photo: Path, root: Path, named: Path | None) -> Iterator[tuple[Path, Format]]:
    """Return where a photo's own label may lie."""
    if named is not None:
        yield from ((named / f"{name}{suffix}", FORMATS[kind]) for suffix, kind in BESIDE.items())
        return
    yield from ((photo.with_suffix(suffix), FORMATS[kind]) for suffix, kind in BESIDE.items())
    inner = name.removeprefix("images/").removeprefix("JPEGImages/")
    for folder, (kind, suffix) in PARALLEL.items():
        yield root / folder / f"{inner}{suffix}", FORMATS[kind]


def unlabelled_error(root: Path, lacking: list[str], total: int) -> DataError:
    """Return the error for photos without points."""
    first = ", ".join(lacking[:5]) + (" …" if len(lacking) > 5 else "")
    received = f"{len(lacking)} of {total} without: {first}"
    return DataError(f"expected points for each photo in {root}", received, HOW_TO)


def _sample(name: str, root: Path, photo: Path, source: str, label: Label, outside: Outside) -> Sample:
    size = None if outside == "keep" or not len(label.points) else photo_size(photo)
    points = check_points(label.points, size, source, outside)
    sizes = label.sizes
    if sizes is not None and size is not None and len(points) != len(label.points):
        sizes = sizes[~is_outside(label.points, size)]
    if sizes is not None and (np.asarray(sizes) <= 0).any():
        raise DataError(f"expected boxes with a width and a height in {source}", "one of no size")
    return Sample(name, photo, points, sizes, {"set": "folder", "folder": root.resolve().name})
