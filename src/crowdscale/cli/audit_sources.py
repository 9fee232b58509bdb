"""The photos, or the frames of a video, of an audit: found, named, read, compared with the record."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crowdscale.cli.progress import tracked
from crowdscale.counting.audit import AuditInput
from crowdscale.data.scanning import BESIDE, read_label, scan_folder
from crowdscale.errors import DataError, OptionError
from crowdscale.files.finding import IMAGE_SUFFIXES, find_images
from crowdscale.files.images import Pixels, read_image
from crowdscale.points import Points

if TYPE_CHECKING:
    from crowdscale.trust.audit import AuditRecord
    from crowdscale.video.sources import Frame

__all__ = ["Sources"]


@dataclass(frozen=True)
class Sources:
    """What an audit is of."""

    root: Path
    """Folder that names are relative to."""
    photos: dict[str, Path]
    """By name; empty of a video."""
    video: Path | None
    every: float
    """Seconds between frames."""

    @classmethod
    def find(cls, given: Sequence[str], out: Path, every: float) -> Sources:
        """Return the photos of files, folders and patterns, or the one video.

        Raises:
            ImageError: A folder or a pattern holds no photo.
            OptionError: Videos are mixed with others, or time does not move on.
        """
        if any(_is_video(Path(name)) for name in given):
            if len(given) > 1:
                raise OptionError("expected one video, or photos", ", ".join(given), "Audit each by itself")
            if every <= 0:
                raise OptionError("expected --every above 0", f"{every:g}")
            return cls(Path(given[0]).parent, {}, Path(given[0]), every)
        inside = out.resolve()
        paths = {path.resolve(): path for path in find_images(given) if inside not in path.resolve().parents}
        if not paths:
            raise OptionError("expected photos to audit", f"none outside {out}")
        root = Path(os.path.commonpath([path.parent for path in paths]))
        return cls(
            root, {full.relative_to(root).as_posix(): path for full, path in paths.items()}, None, every
        )

    def fits(self, names: Sequence[str]) -> bool:
        """Return whether a record's photos are these."""
        if self.video is not None:
            return all(name.startswith(f"{self.video.name} ") for name in names)
        return list(self.photos) == list(names)

    def inputs(self, quiet: bool) -> Iterator[AuditInput]:
        """Yield each photo or frame, with a progress line on a terminal."""
        every: Iterator[AuditInput]
        if self.video is None:
            every = (AuditInput.of_file(path, name) for name, path in self.photos.items())
        else:
            digest = hashlib.sha256(self.video.read_bytes()).hexdigest()
            every = (_frame_input(f"{self.video.name} {f.time:.3f} s", digest, f) for f in self._frames())
        return tracked(every, "Predicting", len(self.photos) or None, quiet)

    def reader(self, record: AuditRecord, tiles: int) -> Callable[[int], Pixels]:
        """Return a function from a photo's index to its pixels.

        Args:
            record: The audit.
            tiles: Number of tiles whose photos will be read.

        Raises:
            DataError: One of their files is another one than that of the record.
        """
        plan = record.plan
        needed = {plan.cells[cell].photo for cell in plan.order(tiles)}
        files = {
            self.video or self.photos[plan.photos[index].name]: plan.photos[index].sha256 for index in needed
        }
        for path, digest in files.items():
            if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                raise _changed(path)
        if self.video is None:
            return lambda index: read_image(self.photos[plan.photos[index].name]).pixels
        frames = {index: f.pixels for index, f in enumerate(self._frames()) if index in needed}
        return lambda index: frames[index]

    def photo_bytes(self, name: str) -> bytes | None:
        """Return the file of a photo; None of a video's frame."""
        return None if self.video is not None else self.photos[name].read_bytes()

    def annotated(self, heads: Path) -> dict[str, Points]:
        """Return the annotated heads of whole photos by name. Raises DataError where they cannot be read."""
        if self.video is not None:
            raise OptionError("expected photos with --heads", "a video", "Count its tiles")
        if (own := self._own_heads(heads)) is not None:
            return own
        scan = scan_folder(self.root, heads)
        names = {Path(name).with_suffix("").as_posix(): name for name in self.photos}
        for name, problem in scan.problems:
            if name in names or "/" not in name:
                raise problem
        return {names[name]: label.points for name, (_, label) in scan.labels.items() if name in names}

    def _own_heads(self, heads: Path) -> dict[str, Points] | None:
        """Return the heads in a file of the only photo; None if it is a file of many photos."""
        if not heads.is_file() or len(self.photos) != 1 or heads.suffix.lower() not in BESIDE:
            return None
        ((name, path),) = self.photos.items()
        with suppress(DataError):
            return {name: read_label(heads, path).points}
        return None

    def _frames(self) -> Iterator[Frame]:
        from crowdscale.video.sources import open_source, sample

        return sample(open_source(str(self.video)), self.every)


def _frame_input(name: str, digest: str, frame: Frame) -> AuditInput:
    return AuditInput(name, digest, lambda: frame.pixels)


def _is_video(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() not in IMAGE_SUFFIXES


def _changed(path: Path) -> DataError:
    return DataError(
        "expected the file that the audit began with",
        f"{path}, which has changed",
        "Restore it, or begin anew",
    )
