"""Photos found by files, folders and patterns."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from crowdscale.errors import ImageError

__all__ = [
    "IMAGE_SUFFIXES",
    "PICTURE_MARK",
    "find_images",
    "has_picture_name",
    "is_other_photo",
    "is_passed_over",
    "local_pattern",
    "match_pattern",
    "walk_folder",
]

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
OTHER_SUFFIXES = (
    ".gif", ".avif", ".heic", ".heif", ".jfif", ".jpe", ".jp2", ".jxl", ".svg", ".psd", ".tga",
    ".pbm", ".pgm", ".ppm", ".raw", ".dng", ".arw", ".cr2", ".cr3", ".nef", ".orf", ".rw2",
)  # fmt: skip
"""Photos that are not read: a search reports how many it left out, files without suffix too."""
FOLDERS_OF_COPIES = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information")
"""Folders in which archives, network drives and systems keep copies and thumbnails."""

PICTURE_MARK = b"crowdscale picture"
"""Stands at the beginning of the pictures that this package draws."""
MARK_WITHIN = 1024
DRAWN = re.compile(r"_(?:people|heat|zoom|density)$")
"""Names of pictures that are drawn of a photo."""
DRAWN_ALONE = ("zones", "plot")


def find_images(
    sources: Iterable[str | os.PathLike[str]], on_other: Callable[[Path], object] | None = None
) -> list[Path]:
    """Return the photos named by files, folders (searched in full) and glob patterns, sorted, each once.

    Files named outright are kept whatever their suffix, and if missing, so that the reader can name the fault;
    so are links to nothing that are named as photos, and folders that cannot be read. Hidden files and folders,
    and pictures that this package has drawn, are passed over.

    Args:
        sources: Files, folders, patterns.
        on_other: Called with each file found that may be a picture but is not read: .gif, .heic, no suffix.

    Raises:
        ImageError: A folder or a pattern holds no photo.
    """
    photos: dict[Path, None] = {}
    for source in sources:
        photos.update(dict.fromkeys(_expand(Path(source), on_other)))
    return list(photos)


def _expand(source: Path, on_other: Callable[[Path], object] | None) -> list[Path]:
    if source.is_dir():
        inside = sorted(Path(path) for path in walk_folder(str(source), _path_only(on_other)))
        if not inside:
            raise ImageError.plain(f"no photos in {source}", f"Photos end with {', '.join(IMAGE_SUFFIXES)}")
        return inside
    pattern = local_pattern(str(source))
    if pattern is None:
        return [source]
    matches = [Path(path) for path in match_pattern(pattern, _path_only(on_other))]
    if not matches:
        raise ImageError.plain(f"no photo matches {source}")
    return sorted(matches)


def _path_only(on_other: Callable[[Path], object] | None) -> Callable[[str], object] | None:
    return None if on_other is None else lambda path: on_other(Path(path))


def local_pattern(source: str) -> str | None:
    """Return a local path as a glob pattern; None where it exists or has no wildcard.

    Folders that exist are taken literally: ``trip [2024]/*.jpg`` has one wildcard.
    """
    if not glob.has_magic(source) or Path(source).exists():
        return None
    parts, literal = Path(source).parts, 0
    while literal < len(parts) and Path(*parts[: literal + 1]).exists():
        literal += 1
    return str(Path(*(glob.escape(part) for part in parts[:literal]), *parts[literal:]))


def match_pattern(pattern: str, on_other: Callable[[str], object] | None = None) -> Iterator[str]:
    """Yield the photos that a pattern of ``local_pattern`` matches, sorted."""
    for path in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207
        folder, name = os.path.split(path)
        yield from _photos(folder, [name], on_other)


def walk_folder(folder: str, on_other: Callable[[str], object] | None = None) -> Iterator[str]:
    """Yield the photos of a local folder and all below it, folder by folder, sorted within each.

    A folder that cannot be read is yielded itself. Reading it as a photo then gives the reason.
    """
    unreadable: list[str] = []
    for at, folders, names in os.walk(folder, onerror=lambda error: unreadable.append(str(error.filename))):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in FOLDERS_OF_COPIES)
        yield from _photos(at, sorted(names), on_other)
        yield from unreadable
        unreadable.clear()
    yield from unreadable


def _photos(folder: str, names: Iterable[str], on_other: Callable[[str], object] | None) -> Iterator[str]:
    """Yield those that are photos by suffix, and report the other pictures."""
    for name in names:
        path = Path(folder, name)
        if is_passed_over(path):
            continue
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.is_dir():
            yield str(path)
        elif on_other is not None and is_other_photo(name) and path.is_file():
            on_other(str(path))


def is_passed_over(path: Path) -> bool:
    """Whether a search leaves a file out: hidden ones (``._a.jpg`` of macOS), pictures drawn by this package."""
    if path.name.startswith("."):
        return True
    if not has_picture_name(path) or not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            return PICTURE_MARK in stream.read(MARK_WITHIN)
    except OSError:
        return False


def has_picture_name(path: Path) -> bool:
    """Whether a file is named like the pictures that this package draws."""
    return bool(DRAWN.search(path.stem)) or path.stem in DRAWN_ALONE


def is_other_photo(name: str) -> bool:
    """Whether a file may be a picture, by its name, of a kind that is not read."""
    suffix = Path(name).suffix.lower()
    return not name.startswith(".") and (not suffix or suffix in OTHER_SUFFIXES)
