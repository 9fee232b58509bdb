"""Frames with their times, from files, cameras, streams and folders; every source closes what it opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from crowdscale.errors import ImageError
from crowdscale.files.finding import IMAGE_SUFFIXES, is_passed_over
from crowdscale.files.images import read_image
from crowdscale.video.cameras import open_address, open_camera, recording
from crowdscale.video.decoding import VideoError, load_av, open_container
from crowdscale.video.frame import Frame, Source, SourceOptions, sample

__all__ = ["Frame", "Source", "SourceOptions", "VideoError", "load_av", "open_source", "sample"]


def open_source(source: str, options: SourceOptions | None = None) -> Source:
    """Return a file, a folder of frames, a webcam (its number) or a stream (RTSP, HTTP) as a source of frames.

    Raises:
        MissingExtraError: PyAV is not installed.
        VideoError: There is no such file or folder, or nothing answers at an address.
    """
    options = options or SourceOptions()
    path = Path(source)
    if source.isdigit() or re.match(r"/dev/video\d+$", source):
        return open_camera(source, options)
    if "://" in source:
        return open_address(source, options)
    if path.is_dir():
        return Source(source, _folder(path, options))
    if not path.is_file():
        raise VideoError(
            "expected a video, a folder of frames, a camera's number or an address", f"nothing at {source}"
        )
    return Source(source, recording(source, lambda: open_container(source), options.loop))


def _folder(path: Path, options: SourceOptions) -> Callable[[Source], Iterator[Frame]]:
    def natural(photo: Path) -> list[Any]:
        return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", photo.name)]

    def frames(source: Source) -> Iterator[Frame]:
        photos = sorted(
            (p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and not is_passed_over(p)),
            key=natural,
        )
        if not photos:
            raise VideoError(
                f"expected pictures ({', '.join(IMAGE_SUFFIXES)})", f"the folder {path} without any"
            )
        turn, readable = 0, True
        while readable:
            readable = False
            for number, photo in enumerate(photos, turn * len(photos)):
                try:
                    read = read_image(photo)
                    yield Frame(number, number / options.fps, read.pixels, notes=read.notes)
                    readable = True
                except ImageError as error:
                    if turn == 0:
                        source.problems.append(str(error))
            turn += 1
            readable = readable and options.loop

    return frames
