"""Places of annotations: beside a photo, in a folder that mirrors its own, or in one file for many photos."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

__all__ = ["BESIDE", "folder_of_photos", "own_files", "shared_candidates"]

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


def own_files(name: str, photo: Path, root: Path, named: Path | None) -> Iterator[Path]:
    """Return the paths at which a photo's own annotation may lie, each once.

    Args:
        name: The photo's name: its path from the root without suffix.
        photo: The photo.
        root: The data set's folder.
        named: The folder of annotations that the user named.
    """
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


def shared_candidates(root: Path, photos: Collection[Path]) -> list[Path]:
    """Return files in the photos' folders, those above and their ``annotations`` that label no photo by name."""
    own = {path.with_suffix("") for path in photos} | set(photos)
    inner = {path.parent for path in own}
    files = [path for folder in _searched(root, photos) for path in sorted(folder.iterdir())]
    return [path for path in files if _may_be_shared(path, own) and not _mirrors(path, inner, own)]


def _searched(root: Path, photos: Collection[Path]) -> list[Path]:
    """Return the photos' folders, those above up to the root, and their ``annotations``."""
    folders = {root}
    for parent in {path.parent for path in photos}:
        folders.update(each for each in (parent, *parent.parents) if each == root or root in each.parents)
    folders |= {each / "annotations" for each in folders}
    return sorted(folder for folder in folders if folder.is_dir())


def _may_be_shared(path: Path, own: set[Path]) -> bool:
    """Return whether a file has the suffix of an annotation and is not named like a photo."""
    named = path.suffix.lower() in SHARED and not path.name.startswith(".")
    return named and path.with_suffix("") not in own and path.is_file()


def _mirrors(path: Path, photo_folders: set[Path], own: set[Path]) -> bool:
    """Return whether a file in ``annotations`` labels one photo of the parallel folder."""
    if path.parent.name != "annotations":
        return False
    twin = path.parent.parent / "images"
    return twin in photo_folders and twin / path.stem in own


def folder_of_photos(file: Path, root: Path) -> str:
    """Return the folder of an annotation from the root, that of photos where it lies in ``annotations``."""
    try:
        folder = file.parent.relative_to(root)
    except ValueError:
        return ""
    folder = folder.parent if folder.name == "annotations" else folder
    return "" if folder == Path() else folder.as_posix()
