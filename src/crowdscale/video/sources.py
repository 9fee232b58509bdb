"""Frames with their times, from files, cameras, streams and folders; every source closes what it opened."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from crowdscale.errors import ImageError
from crowdscale.files.finding import IMAGE_SUFFIXES, is_passed_over
from crowdscale.files.images import read_image
from crowdscale.video.cameras import open_address, open_camera, recording
from crowdscale.video.decoding import VideoError, load_av, open_container
from crowdscale.video.fetching import Pipe
from crowdscale.video.frame import Frame, Source, SourceOptions, sample
from crowdscale.video.resuming import STDIN

__all__ = ["STDIN", "Frame", "Source", "SourceOptions", "VideoError", "load_av", "open_source", "sample"]


def open_source(source: str, options: SourceOptions | None = None) -> Source:
    """Return a file, a folder of frames, a webcam (its number) or a stream (RTSP, HTTP) as a source of frames.

    ``-`` is a film on standard input.

    Raises:
        MissingExtraError: PyAV is not installed.
        VideoError: There is no such file or folder, or nothing answers at an address.
    """
    options = options or SourceOptions()
    path = Path(source)
    if source == STDIN:
        return _piped(options)
    if source.isdigit() or re.match(r"/dev/video\d+$", source):
        return open_camera(source, options)
    if "://" in source:
        return open_address(source, options)
    if path.is_dir():
        return Source(source, _folder(path, options))
    if not path.is_file():
        raise VideoError.plain(
            f"no such film: {source}", "Name a film, a folder of frames, a camera's number or its address"
        )
    return Source(source, recording(source, lambda: open_container(source), options))


def _piped(options: SourceOptions) -> Source:
    """Return the film on standard input. Raises VideoError."""
    if options.loop:
        raise VideoError("expected a film that can begin again with --loop", "standard input")
    stream: IO[bytes] | None = getattr(sys.stdin, "buffer", None)
    if stream is None or stream.isatty():
        raise VideoError(
            "expected a film on standard input",
            "a terminal",
            "For example: cat film.mp4 | crowdscale watch -",
        )
    pipe = Pipe(stream, "standard input")
    try:
        first = pipe.open()
    except VideoError:
        first = pipe.open_whole()
    read = recording(pipe.name, pipe.open_whole, options, first, pipe.open_whole)

    def frames(source: Source) -> Iterator[Frame]:
        for frame in read(source):
            pipe.check()
            pipe.forget()
            yield frame
        pipe.check()

    return Source(pipe.name, frames)


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
                    yield Frame(
                        number, number / options.photo_rate, read.pixels, notes=read.warnings + read.notes
                    )
                    readable = True
                except ImageError as error:
                    if turn == 0:
                        source.problems.append(str(error))
            turn += 1
            readable = readable and options.loop

    return frames
