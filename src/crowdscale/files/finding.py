"""Photos found by files, folders and patterns."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from crowdscale.errors import ImageError

__all__ = ["IMAGE_SUFFIXES", "find_images", "is_other_photo"]

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
OTHER_SUFFIXES = (
    ".gif", ".avif", ".heic", ".heif", ".jfif", ".jpe", ".jp2", ".jxl", ".svg", ".psd", ".tga",
    ".pbm", ".pgm", ".ppm", ".raw", ".dng", ".arw", ".cr2", ".cr3", ".nef", ".orf", ".rw2",
)  # fmt: skip
"""Pictures that are not read: those who search a folder say how many they left out, files without suffix too."""


def find_images(
    sources: Iterable[str | os.PathLike[str]], on_other: Callable[[Path], object] | None = None
) -> list[Path]:
    """Return the photos named by files, folders (searched in full) and glob patterns, sorted, each once.

    Files named outright are kept whatever their suffix, and if missing, so that the reader can say so; links
    to nothing that are named as photos, too.

    Args:
        sources: Files, folders, patterns.
        on_other: Called with each file found that may be a picture but is not read: .gif, .heic, no suffix.

    Raises:
        ImageError: A folder or a pattern holds no photo.
    """
    found: dict[Path, None] = {}
    for source in sources:
        found.update(dict.fromkeys(_expand(Path(source), on_other)))
    return list(found)


def _expand(source: Path, on_other: Callable[[Path], object] | None) -> list[Path]:
    if source.is_dir():
        inside = _photos(source.rglob("*"), on_other)
        if not inside:
            raise ImageError(
                f"expected photos ({', '.join(IMAGE_SUFFIXES)})", f"the folder {source} without any"
            )
        return inside
    if not source.exists() and any(sign in str(source) for sign in "*?["):
        anchor = Path(source.anchor) if source.is_absolute() else Path()
        pattern = str(source.relative_to(anchor)) if source.is_absolute() else str(source)
        matches = _photos(anchor.glob(pattern), on_other)
        if not matches:
            raise ImageError("expected photos", f"the pattern {source}, which matches none")
        return matches
    return [source]


def _photos(paths: Iterable[Path], on_other: Callable[[Path], object] | None) -> list[Path]:
    """Return those that are photos by suffix, sorted, and report the other pictures."""
    photos = []
    for path in sorted(paths):
        dangling = path.is_symlink() and not path.exists()
        if path.suffix.lower() in IMAGE_SUFFIXES and (dangling or path.is_file()):
            photos.append(path)
        elif on_other is not None and is_other_photo(path.name) and path.is_file():
            on_other(path)
    return photos


def is_other_photo(name: str) -> bool:
    """Whether a file may be a picture, by its name, of a kind that is not read."""
    suffix = Path(name).suffix.lower()
    return not name.startswith(".") and (not suffix or suffix in OTHER_SUFFIXES)
