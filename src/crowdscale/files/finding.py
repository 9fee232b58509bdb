"""Photos found by files, folders and patterns."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath

from crowdscale.errors import ImageError
from crowdscale.files.kinds import IMAGE_SUFFIXES, OTHER_SUFFIXES, USUAL_SUFFIXES, is_photo_start

__all__ = [
    "IMAGE_SUFFIXES",
    "MARK_WITHIN",
    "PICTURE_MARK",
    "find_images",
    "has_picture_name",
    "is_marked",
    "is_other_photo",
    "is_passed_over",
    "local_pattern",
    "match_pattern",
    "walk_folder",
]

FOLDERS_OF_COPIES = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information")
"""Folders in which archives, network drives and systems keep copies and thumbnails."""

PICTURE_MARK = b"crowdscale picture"
"""Stands at the beginning, or at the end, of the pictures that this package draws."""
MARK_WITHIN = 1024
"""Bytes from the beginning, or to the end, within which it stands."""
MARKED_AT_END = (b"RIFF", b"BM")
"""First bytes of the kinds, WebP and BMP, that have the mark at the end."""
DRAWN = re.compile(r"_(?:people|heat|zoom|density)$")
"""Names of pictures that are drawn of a photo."""
DRAWN_ALONE = ("zones", "plot")


def find_images(
    sources: Iterable[str | os.PathLike[str]],
    on_other: Callable[[Path], object] | None = None,
    drawn: bool = False,
) -> list[Path]:
    """Return the photos named by files, folders (searched in full) and glob patterns, sorted, each once.

    Files named outright are kept whatever their suffix, and if missing, so that the reader can name the fault;
    so are links to nothing that are named as photos, and folders that cannot be read. Hidden files and folders,
    and pictures that this package has drawn, are passed over.

    Args:
        sources: Files, folders, patterns.
        on_other: Called with each file found that may be a picture but is not read: .psd, .mp4, no suffix.
        drawn: Keep pictures that this package has drawn, such as the tiles of an audit.

    Raises:
        ImageError: A folder or a pattern holds no photo.
    """
    photos: dict[Path, None] = {}
    for source in sources:
        photos.update(dict.fromkeys(_expand(Path(source), on_other, drawn)))
    return list(photos)


def _expand(source: Path, on_other: Callable[[Path], object] | None, drawn: bool) -> list[Path]:
    if source.is_dir():
        inside = sorted(Path(path) for path in walk_folder(str(source), _path_only(on_other), drawn))
        if not inside:
            raise ImageError.plain(f"no photos in {source}", f"Photos end with {USUAL_SUFFIXES}")
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


def walk_folder(
    folder: str, on_other: Callable[[str], object] | None = None, drawn: bool = False
) -> Iterator[str]:
    """Yield the photos of a local folder and all below it, folder by folder, sorted within each.

    A folder that cannot be read is yielded itself. Reading it as a photo then gives the reason.
    """
    unreadable: list[str] = []
    for at, folders, names in os.walk(folder, onerror=lambda error: unreadable.append(str(error.filename))):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in FOLDERS_OF_COPIES)
        yield from _photos(at, sorted(names), on_other, drawn)
        yield from unreadable
        unreadable.clear()
    yield from unreadable


def _photos(
    folder: str, names: Iterable[str], on_other: Callable[[str], object] | None, drawn: bool = False
) -> Iterator[str]:
    """Yield those that are photos by suffix, or without one by their first bytes, and report the other pictures."""
    for name in names:
        path = Path(folder, name)
        suffix = path.suffix.lower()
        if name.startswith(".") or (suffix and suffix not in (*IMAGE_SUFFIXES, *OTHER_SUFFIXES)):
            continue
        if (suffix in IMAGE_SUFFIXES and not path.is_dir()) or (not suffix and _is_photo(path)):
            if drawn or not is_marked(path):
                yield str(path)
        elif on_other is not None and is_other_photo(name) and path.is_file():
            on_other(str(path))


def _is_photo(path: Path) -> bool:
    """Whether a file without suffix is a photo by its first bytes, as some cameras and downloads leave them."""
    return path.is_file() and is_photo_start(_ends(path)[0][:16])


def is_passed_over(path: Path) -> bool:
    """Whether a search leaves a file out: hidden ones (``._a.jpg`` of macOS), pictures drawn by this package."""
    return path.name.startswith(".") or is_marked(path)


def is_marked(path: Path) -> bool:
    """Whether a file is a picture that this package has drawn, whatever its name."""
    return path.is_file() and any(PICTURE_MARK in part for part in _ends(path))


def _ends(path: Path) -> tuple[bytes, bytes]:
    """Return the first bytes of a file, and the last ones where its kind has the mark there; empty if unreadable."""
    try:
        with path.open("rb") as stream:
            start = stream.read(MARK_WITHIN)
            if not start.startswith(MARKED_AT_END) or len(start) < MARK_WITHIN:
                return start, b""
            stream.seek(-MARK_WITHIN, os.SEEK_END)
            return start, stream.read()
    except OSError:
        return b"", b""


def has_picture_name(path: PurePath) -> bool:
    """Whether a file is named like the pictures that this package draws."""
    return bool(DRAWN.search(path.stem)) or path.stem in DRAWN_ALONE


def is_other_photo(name: str) -> bool:
    """Whether a file may be a picture, by its name, of a kind that is not read."""
    suffix = Path(name).suffix.lower()
    return not name.startswith(".") and (not suffix or suffix in OTHER_SUFFIXES)
