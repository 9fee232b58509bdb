"""Pairs the photos of a folder with their annotations and gathers all faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from crowdscale.data.checks import photo_size
from crowdscale.data.classes import attribute_note, choose_marks, class_counts, classes_error, other_names
from crowdscale.data.fitting import fit_label
from crowdscale.data.formats import FORMATS, Entry, Format, Label, label_of, yolo_names
from crowdscale.data.formats.tables import HEADLESS
from crowdscale.data.naming import PhotoNames
from crowdscale.data.places import BESIDE, folder_of_photos, own_files, shared_candidates
from crowdscale.data.recognition import TABLE_NAME, beside_format, shared_format
from crowdscale.errors import CrowdscaleError, DataError, unknown_name
from crowdscale.files.finding import find_images

__all__ = ["BESIDE", "Scan", "read_label", "scan_folder"]


@dataclass
class Scan:
    """Photos of a folder by name, their labels, and each problem."""

    root: Path
    photos: dict[str, Path]
    labels: dict[str, tuple[str, Label]] = field(default_factory=dict)
    """Name → the place where it was read and the label."""
    problems: list[tuple[str, CrowdscaleError]] = field(default_factory=list)
    """(photo's name or file, error)."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """(photo's name, sentence on a change)."""
    unread: list[Path] = field(default_factory=list)
    """Files that might hold annotations and were not recognised."""
    taken: set[str] = field(default_factory=set)
    """Files that were read or refused as annotations."""

    @property
    def lacking(self) -> list[str]:
        """Photos without a label of which nothing else is wrong."""
        faulty = {name for name, _ in self.problems}
        return [name for name in self.photos if name not in self.labels and name not in faulty]


SMALLEST = 16
"""Pixels of a photo's shorter side above which heads do not all lie in its first pixel."""

Found = dict[str, list[tuple[str, Entry]]]


def scan_folder(
    root: Path,
    annotations: str | Path | None = None,
    format: str | None = None,
    classes: Sequence[str] = (),
    drawn: bool = False,
) -> Scan:
    """Return photos and labels of a folder; the fault of one photo does not stop the others.

    Args:
        root: The folder.
        annotations: The annotation's file or folder, where it is not to be searched for.
        format: Its format by name, where the file is ambiguous.
        classes: The classes that are read; all where there is one alone.
        drawn: Keep pictures that this package has drawn, such as the tiles of an audit.

    Raises:
        DataError: The folder is missing or the annotation that was named cannot be read.
        ImageError: The folder holds no photo.
    """
    readable = [name for name, each in FORMATS.items() if each.readable]
    if format not in (None, *readable):
        raise unknown_name("format", format, readable)
    if not root.is_dir():
        raise DataError.plain(
            f"{root} is a file, not a folder" if root.exists() else f"no such folder: {root}"
        )
    scan = _named_photos(root, drawn)
    named = None if annotations is None else Path(annotations)
    entries: Found = {}
    shared: list[tuple[Path, Format]] = []
    if named is None or named.is_dir():
        shared = _read_each(scan, entries, named, format)
    names = PhotoNames(path.relative_to(root).as_posix() for path in scan.photos.values())
    _note_other_photos(scan, entries, names)
    for file, kind in [*shared, *_shared_files(scan, named, format)]:
        _take(scan, entries, names, file, kind)
    _label(scan, entries, classes)
    return scan


def _named_photos(root: Path, drawn: bool) -> Scan:
    """Return the photos under ``root`` by their path from there without suffix."""
    scan = Scan(root, {})
    for path in find_images([root], drawn=drawn):
        name = path.relative_to(root).with_suffix("").as_posix()
        if name in scan.photos:
            clash = f"{scan.photos[name].name} and {path.name}"
            error = DataError(f"expected each name of a photo once in {root}", clash, "Rename one of them")
            scan.problems.append((name, error))
        else:
            scan.photos[name] = path
    return scan


def _read_each(
    scan: Scan, entries: Found, named: Path | None, format: str | None
) -> list[tuple[Path, Format]]:
    """Add the files that label one photo each; return those beside a photo whose format is for many."""
    shared: list[tuple[Path, Format]] = []
    cached: dict[Path, dict[str, str]] = {}
    for name, photo in scan.photos.items():
        for path in own_files(name, photo, scan.root, named):
            if path == scan.root / TABLE_NAME or not path.is_file():
                continue
            kind = beside_format(path)
            if format not in (None, kind.name):
                continue
            if kind.read_one is None:
                shared.append((path, kind))
                continue
            scan.taken.add(str(path))
            try:
                entry = kind.read_one(path, partial(photo_size, photo))
                if kind.name == "yolo":
                    entry = _with_names(entry, path, scan.root, cached)
                entries.setdefault(name, []).append((str(path), entry))
            except CrowdscaleError as error:
                scan.problems.append((name, error))
    return shared


def _note_other_photos(scan: Scan, entries: Found, names: PhotoNames) -> None:
    """Note each file beside a photo that names another photo of the folder: two may be exchanged."""
    for name, found in entries.items():
        own = scan.photos[name].relative_to(scan.root)
        for source, entry in found:
            for claimed in entry.also:
                photo = names.find(claimed, inside=own.parent.as_posix().removeprefix("."))
                if photo not in (None, own.as_posix()) and PurePosixPath(claimed).stem != own.stem:
                    sentence = (
                        f"{source}: lies beside {own.name}, but names {claimed}. Check whose heads these are."
                    )
                    scan.notes.append((name, sentence))


def read_label(file: Path, photo: Path, classes: Sequence[str] = ()) -> Label:
    """Return the label of one photo from a file of its own.

    Args:
        file: A file in a format that lies beside a photo: CSV, JSON, XML, YOLO's text, .mat.
        photo: The photo.
        classes: The classes that are read; needed where there are several.

    Raises:
        DataError: The file is not sound, of another kind, or holds several classes.
    """
    kind = beside_format(file)
    if kind.read_one is None:
        raise DataError("expected an annotation of one photo", f"{file} ({kind.name})")
    entry = kind.read_one(file, partial(photo_size, photo))
    error = classes_error(class_counts([entry.marks]), classes, file, other_names([entry.marks]))
    if error is not None:
        raise error
    label = _chosen_label(entry, classes, file)
    return fit_label(label, photo, str(file))[0]


def _with_names(entry: Entry, path: Path, root: Path, cached: dict[Path, dict[str, str]]) -> Entry:
    """Return the entry with classes by name, where a list of names lies in its folder or one above."""
    if path.parent not in cached:
        folders = [each for each in path.parents if each == root or root in each.parents]
        cached[path.parent] = next((names for each in folders if (names := yolo_names(each))), {})
    names = cached[path.parent]
    return replace(
        entry, marks=[mark._replace(label=names.get(mark.label, mark.label)) for mark in entry.marks]
    )


def _shared_files(scan: Scan, named: Path | None, format: str | None) -> list[tuple[Path, Format]]:
    """Return the files that label many photos, with their formats."""
    if named is not None:
        return _named_file(named, format)
    files = []
    for path in shared_candidates(scan.root, scan.photos.values()):
        try:
            kind = shared_format(path)
        except DataError as error:
            scan.problems.append((path.name, error))
            continue
        if kind is None:
            scan.unread.append(path)
            continue
        requested = _as_requested(kind, format)
        if requested is not None:
            files.append((path, requested))
    return files


def _named_file(named: Path, format: str | None) -> list[tuple[Path, Format]]:
    """Return the annotation that was named, with its format; nothing where it is a folder."""
    if not named.exists():
        raise DataError.plain(f"no such annotation: {named}")
    if named.is_dir():
        return []
    kind = FORMATS[format] if format else shared_format(named, named=True)
    if kind is None or not kind.one_file:
        raise DataError("expected one annotation for all photos", f"{named}", "Name its format (--from)")
    return [(named, kind)]


def _as_requested(kind: Format, format: str | None) -> Format | None:
    """Return the format to read a file of this kind in; None where another one was requested."""
    if format is None or format == kind.name:
        return kind
    if format == "labelstudio-predictions" and kind.name == "labelstudio":
        return FORMATS[format]
    return None


def _take(scan: Scan, sources: Found, names: PhotoNames, file: Path, kind: Format) -> None:
    """Add the entries of a file of many photos."""
    assert kind.read is not None  # kinds of one file have it
    scan.taken.add(str(file))
    try:
        entries = kind.read(file)
    except CrowdscaleError as error:
        scan.problems.append((file.name, error))
        return
    inside = folder_of_photos(file, scan.root)
    by_path = {path.relative_to(scan.root).as_posix(): name for name, path in scan.photos.items()}
    keys: dict[str, str] = {}
    for key, entry in entries.items():
        photo = names.find(key, entry.also, inside)
        problem = _misplaced(file, key, entry, photo, keys)
        if problem is not None:
            scan.problems.append((by_path.get(photo or "", key), problem))
        elif photo is not None:
            keys[photo] = key
            sources.setdefault(by_path[photo], []).append((f"{file} for {PurePosixPath(photo).name}", entry))
    if not keys:
        _check_frames(scan, file, entries)


def _check_frames(scan: Scan, file: Path, entries: Mapping[str, Entry]) -> None:
    """Add the fault of a film's file of which no frame is there."""
    if entries and all(entry.optional for entry in entries.values()):
        expected = f"expected photos named as frames of {file}"
        remedy = f"Name them {next(iter(entries))}.jpg …"
        scan.problems.append((file.name, DataError(expected, "none", remedy)))


def _misplaced(
    file: Path, key: str, entry: Entry, photo: str | None, keys: Mapping[str, str]
) -> DataError | None:
    """Return the error for an entry that lacks its photo, or for the second one of a photo; None for others."""
    if photo is None and entry.optional:
        return None
    if photo is None:
        return DataError(f"expected a photo's name in {file}{entry.where}", repr(key), "Correct or remove it")
    if photo not in keys:
        return None
    clash = f"{keys[photo]} and {key}"
    return DataError(f"expected one entry for {photo} in {file}", clash, "Join them or remove one")


def _label(scan: Scan, entries: Found, classes: Sequence[str]) -> None:
    """Turn the entries of photos into labels: one source each, one class, in the photo's pixels."""
    _check_classes(scan, entries, classes)
    remarks: dict[str, list[tuple[str, str]]] = {}
    for name, sources in entries.items():
        if len(sources) > 1:
            files = (Path(source.split(" for ")[0]) for source, _ in sources)
            listed = " and ".join(_short(file, scan.root) for file in files)
            expected = f"expected the points of {scan.photos[name]} in one place"
            scan.problems.append((name, DataError(expected, listed, "Remove all but one")))
            continue
        source, entry = sources[0]
        try:
            scan.labels[name] = source, _fitted(scan, name, source, entry, classes)
        except CrowdscaleError as problem:
            scan.problems.append((name, problem))
            continue
        for text in entry.notes:
            remarks.setdefault(text, []).append((name, source))
    if HEADLESS in remarks and any(_reaches_right(scan, name) for name, _ in remarks[HEADLESS]):
        del remarks[HEADLESS]
    for text, places in remarks.items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        scan.notes.append((places[0][0], f"{places[0][1]}{more}: {text}."))


def _reaches_right(scan: Scan, name: str) -> bool:
    """Return whether a head lies farther right than the photo is high: its x and y are not exchanged."""
    xy = scan.labels[name][1].points.xy
    try:
        return bool(len(xy)) and float(xy[:, 0].max()) > photo_size(scan.photos[name])[1]
    except CrowdscaleError:
        return False  # who opens the photo reports its fault


def _short(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)


def _check_classes(scan: Scan, entries: Found, classes: Sequence[str]) -> None:
    """Put the fault of a choice that the classes do not allow before all others."""
    marks = [entry.marks for sources in entries.values() for _, entry in sources]
    counts = class_counts(marks)
    holder = {
        source.split(" for ")[0] for sources in entries.values() for source, entry in sources if entry.marks
    }
    where = next(iter(holder)) if len(holder) == 1 else scan.root
    error = classes_error(counts, classes, where, other_names(marks))
    if error is not None:
        scan.problems.insert(0, (str(where), error))
    note = attribute_note(marks)
    if note and not any("=" in name for name in classes):
        scan.notes.append((str(where), f"{where}: {note}."))


def _fitted(scan: Scan, name: str, source: str, entry: Entry, classes: Sequence[str]) -> Label:
    where = source if " for " in source or not entry.where else f"{source}{entry.where}"
    label = _chosen_label(entry, classes, where)
    label, note = fit_label(label, scan.photos[name], source)
    _check_pixels(label, scan.photos[name], source)
    _check_head_sizes(label, scan.photos[name], source)
    if note is not None:
        scan.notes.append((name, note))
    return label


def _check_pixels(label: Label, photo: Path, source: str) -> None:
    """Refuse heads that all lie in the first pixel of a photo: their coordinates are shares of its sides."""
    xy = label.points.xy
    if not len(xy) or not ((xy >= -0.5) & (xy <= 1)).all() or (xy == np.round(xy)).all():
        return
    if min(photo_size(photo)) > SMALLEST:
        raise DataError(
            f"expected pixels in {source}", "values from 0 to 1, shares of the photo's sides",
            "Multiply them by the photo's width and height",
        )  # fmt: skip


def _chosen_label(entry: Entry, classes: Sequence[str], where: object) -> Label:
    """Return the label of an entry's marks and areas of the chosen classes."""
    label = label_of(choose_marks(entry.marks, classes), entry.size, where)
    ignored = tuple(choose_marks(entry.ignored, classes))
    return replace(label, ignored=ignored, only=tuple(entry.only))


def _check_head_sizes(label: Label, photo: Path, source: str) -> None:
    """Refuse several boxes that all have the photo's size: a table's width and height may be the photo's."""
    if label.sizes is None or len(label.sizes) < 2:
        return
    width, height = photo_size(photo)
    if (label.sizes >= (width, height)).all():
        raise DataError(
            f"expected the width and height of heads in {source}",
            f"{len(label.sizes)} of the photo's size, {width}×{height}",
            "Remove the columns width and height, or rename them",
        )
