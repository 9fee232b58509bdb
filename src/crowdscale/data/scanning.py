"""Photos and annotations of a folder, brought together: nothing stops at the first fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

from crowdscale.data.checks import photo_size
from crowdscale.data.classes import choose_marks, class_counts, classes_error
from crowdscale.data.fitting import fit_label
from crowdscale.data.formats import FORMATS, Entry, Format, Label, label_of, yolo_names
from crowdscale.data.naming import PhotoNames
from crowdscale.data.recognition import TABLE_NAME, beside_format, shared_format
from crowdscale.errors import CrowdscaleError, DataError, unknown_name
from crowdscale.files.finding import find_images

__all__ = ["BESIDE", "Scan", "read_label", "scan_folder"]

BESIDE = (".csv", ".json", ".xml", ".txt", ".mat")
"""Suffixes of a file beside a photo."""

PARALLEL = {
    "images": ("labels", "annotations", "ground_truth", "ground-truth"),
    "img": ("ann",),
    "JPEGImages": ("Annotations", "labels"),
}
"""Folders of photos → folders of the same path but for this name that hold their annotations."""

SHARED = (".json", ".xml", ".csv", ".pnt")
"""Suffixes of a file for many photos."""


@dataclass
class Scan:
    """What a folder holds: photos by name, the labels that could be read, and each problem met."""

    root: Path
    photos: dict[str, Path]
    labels: dict[str, tuple[str, Label]] = field(default_factory=dict)
    """Name → the place where it was read and the label."""
    problems: list[tuple[str, CrowdscaleError]] = field(default_factory=list)
    """(photo's name or file, what is wrong)."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """(photo's name, what was changed or left out)."""
    unread: list[Path] = field(default_factory=list)
    """Files that might hold annotations and were not recognised."""

    @property
    def lacking(self) -> list[str]:
        """Photos without a label of which nothing else is wrong."""
        known = {name for name, _ in self.problems}
        return [name for name in self.photos if name not in self.labels and name not in known]


Found = dict[str, list[tuple[str, Entry]]]


def scan_folder(
    root: Path,
    annotations: str | Path | None = None,
    format: str | None = None,
    classes: Sequence[str] = (),
) -> Scan:
    """Return photos and labels of a folder; what is wrong with one photo does not stop the others.

    Args:
        root: The folder.
        annotations: The annotation's file or folder, where it is not to be searched for.
        format: Its format by name, where it is not to be told from the file.
        classes: The classes that are read; all where there is one alone.

    Raises:
        DataError: The folder is missing or the annotation that was named cannot be read.
        ImageError: The folder holds no photo.
    """
    if format is not None and (format not in FORMATS or not FORMATS[format].readable):
        raise unknown_name("format", format, [name for name, each in FORMATS.items() if each.readable])
    if not root.is_dir():
        raise DataError("expected a folder of photos", f"{root}, which is none", "Check the path")
    scan = _named_photos(root)
    named = None if annotations is None else Path(annotations)
    found: Found = {}
    if named is None or named.is_dir():
        _read_each(scan, found, named, format)
    names = PhotoNames(path.relative_to(root).as_posix() for path in scan.photos.values())
    for file, kind in _shared_files(scan, named, format):
        _take(scan, found, names, file, kind)
    _label(scan, found, classes)
    return scan


def _named_photos(root: Path) -> Scan:
    """Return the photos under ``root`` by their path from there without suffix."""
    scan = Scan(root, {})
    for path in find_images([root]):
        if path.name.startswith("._"):  # what macOS keeps of a file on foreign disks
            continue
        name = path.relative_to(root).with_suffix("").as_posix()
        if name in scan.photos:
            clash = f"{scan.photos[name].name} and {path.name}"
            error = DataError(f"expected each name of a photo once in {root}", clash, "Rename one of them")
            scan.problems.append((name, error))
        else:
            scan.photos[name] = path
    return scan


def _read_each(scan: Scan, found: Found, named: Path | None, format: str | None) -> None:
    """Add the files that label one photo each."""
    cached: dict[Path, dict[str, str]] = {}
    for name, photo in scan.photos.items():
        for path in _files_of(name, photo, scan.root, named):
            if path == scan.root / TABLE_NAME or not path.is_file():
                continue
            kind = beside_format(path)
            if format not in (None, kind.name) or kind.read_one is None:
                continue
            try:
                entry = kind.read_one(path, partial(photo_size, photo))
                if kind.name == "yolo":
                    entry = _with_names(entry, path, scan.root, cached)
                found.setdefault(name, []).append((str(path), entry))
            except CrowdscaleError as error:
                scan.problems.append((name, error))


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
    error = classes_error(class_counts([entry.marks]), classes, file)
    if error is not None:
        raise error
    label = label_of(choose_marks(entry.marks, classes), entry.size, file)
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


def _files_of(name: str, photo: Path, root: Path, named: Path | None) -> Iterator[Path]:
    """Return the paths of a photo's own label, each once."""
    if named is not None:
        yield from (named / f"{name}{suffix}" for suffix in BESIDE)
        yield named / f"{name}{photo.suffix}.json"
        return
    inner = PurePosixPath(name.removeprefix("images/").removeprefix("JPEGImages/"))
    folders = [photo.parent, *_parallel(photo.parent, root)]
    folders += [root / each / inner.parent for each in ("labels", "Annotations")]
    for folder in dict.fromkeys(folders):
        yield from (folder / f"{photo.stem}{suffix}" for suffix in BESIDE)
        yield from (
            folder / f"{photo.name}.json",
            folder / f"GT_{photo.stem}.mat",
            folder / f"{photo.stem}_ann.mat",
        )


def _parallel(folder: Path, root: Path) -> Iterator[Path]:
    """Return the folders that differ from a photo's in one name: train/images → train/labels."""
    parts = folder.relative_to(root).parts
    for index, part in enumerate(parts):
        for other in PARALLEL.get(part, ()):
            yield root.joinpath(*parts[:index], other, *parts[index + 1 :])


def _shared_files(scan: Scan, named: Path | None, format: str | None) -> list[tuple[Path, Format]]:
    """Return the files that label many photos, with their formats."""
    if named is not None:
        if not named.exists():
            raise DataError("expected an annotation", f"nothing at {named}", "Check the path")
        if named.is_dir():
            return []
        kind = FORMATS[format] if format else shared_format(named, named=True)
        if kind is None or not kind.one_file:
            raise DataError("expected one annotation for all photos", f"{named}", "Name its format (--from)")
        return [(named, kind)]
    found = []
    for path in _candidates(scan):
        try:
            kind = shared_format(path)
        except DataError as error:
            scan.problems.append((path.name, error))
            continue
        if kind is None:
            scan.unread.append(path)
        elif format is None or format == kind.name:
            found.append((path, kind))
        elif format == "labelstudio-predictions" and kind.name == "labelstudio":
            found.append((path, FORMATS[format]))
    return found


def _candidates(scan: Scan) -> list[Path]:
    """Return files in the photos' folders, those above and their ``annotations`` that label no photo by name."""
    folders = {scan.root}
    for path in scan.photos.values():
        folders.update(each for each in path.parents if each == scan.root or scan.root in each.parents)
    folders |= {each / "annotations" for each in folders}
    own = {path.with_suffix("") for path in scan.photos.values()} | set(scan.photos.values())
    files = [path for folder in sorted(folders) if folder.is_dir() for path in sorted(folder.iterdir())]
    inner = {path.parent for path in own}
    return [
        path
        for path in files
        if path.suffix.lower() in SHARED
        and path.is_file()
        and not path.name.startswith(".")
        and path.with_suffix("") not in own
        and not _mirrors(path, inner, own)
    ]


def _mirrors(path: Path, photo_folders: set[Path], own: set[Path]) -> bool:
    """Return whether a file in ``annotations`` labels one photo of the parallel folder."""
    if path.parent.name != "annotations":
        return False
    twin = path.parent.parent / "images"
    return twin in photo_folders and twin / path.stem in own


def _take(scan: Scan, found: Found, names: PhotoNames, file: Path, kind: Format) -> None:
    """Add the entries of a file of many photos."""
    assert kind.read is not None  # kinds of one file have it
    try:
        entries = kind.read(file)
    except CrowdscaleError as error:
        scan.problems.append((file.name, error))
        return
    inside = _inside(file, scan.root)
    by_path = {path.relative_to(scan.root).as_posix(): name for name, path in scan.photos.items()}
    taken: dict[str, str] = {}
    for key, entry in entries.items():
        photo = names.find(key, entry.also, inside)
        if photo is not None and photo in taken:
            clash = f"{taken[photo]} and {key}"
            problem = DataError(f"expected one entry for {photo} in {file}", clash, "Join them or remove one")
            scan.problems.append((by_path[photo], problem))
        elif photo is not None:
            taken[photo] = key
            found.setdefault(by_path[photo], []).append((f"{file} for {PurePosixPath(photo).name}", entry))
        elif not entry.optional:
            expected = f"expected a photo's name in {file}{entry.where}"
            scan.problems.append((key, DataError(expected, repr(key), "Correct or remove it")))
    if entries and not taken and all(entry.optional for entry in entries.values()):
        expected = f"expected photos named as frames of {file}"
        scan.problems.append(
            (file.name, DataError(expected, "none", f"Name them {next(iter(entries))}.jpg …"))
        )


def _inside(file: Path, root: Path) -> str:
    """Return the folder of an annotation from the root, that of photos where it lies in ``annotations``."""
    try:
        folder = file.parent.relative_to(root)
    except ValueError:
        return ""
    folder = folder.parent if folder.name == "annotations" else folder
    return "" if folder == Path() else folder.as_posix()


def _label(scan: Scan, found: Found, classes: Sequence[str]) -> None:
    """Turn the entries of photos into labels: one source each, one class, in the photo's pixels."""
    counts = class_counts(entry.marks for sources in found.values() for _, entry in sources)
    holder = {
        source.split(" for ")[0] for sources in found.values() for source, entry in sources if entry.marks
    }
    where = next(iter(holder)) if len(holder) == 1 else scan.root
    error = classes_error(counts, classes, where)
    if error is not None:
        scan.problems.insert(0, (str(where), error))
    for name, sources in found.items():
        if len(sources) > 1:
            listed = " and ".join(Path(source.split(" for ")[0]).name for source, _ in sources)
            expected = f"expected the points of {scan.photos[name]} in one place"
            scan.problems.append((name, DataError(expected, listed, "Remove all but one")))
            continue
        source, entry = sources[0]
        try:
            scan.labels[name] = source, _fitted(scan, name, source, entry, classes)
        except CrowdscaleError as problem:
            scan.problems.append((name, problem))


def _fitted(scan: Scan, name: str, source: str, entry: Entry, classes: Sequence[str]) -> Label:
    where = source if " for " in source or not entry.where else f"{source}{entry.where}"
    label = label_of(choose_marks(entry.marks, classes), entry.size, where)
    label, note = fit_label(label, scan.photos[name], source)
    scan.notes += [(name, f"{source}: {text}.") for text in entry.notes]
    if note is not None:
        scan.notes.append((name, note))
    return label
