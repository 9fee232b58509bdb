"""Annotated video as an MP4 in fragments: playable up to its last second, however the program ends."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import OptionError
from crowdscale.files.images import resize_image
from crowdscale.video.decoding import VideoError, load_av

__all__ = ["VideoWriter"]

Pixels = NDArray[np.uint8]

CLOCK = 90_000
"""Ticks a second of the frames' times."""
FRAGMENTS = "frag_keyframe+empty_moov+default_base_moof"
"""Each fragment stands for itself: the file is playable without an end."""
KEY_EVERY = 10
"""Frames between two key frames, with each of which a fragment is written out."""


class VideoWriter:
    """Writes frames at their own times; opens with the first one.

    Args:
        path: An .mp4, .mov or .mkv file.

    Raises:
        OptionError: Another suffix.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() not in (".mp4", ".mov", ".mkv"):
            raise OptionError("expected a video's name (.mp4, .mov, .mkv)", str(path))
        self.path = path
        self._container: Any = None
        self._stream: Any = None
        self._last = -1

    def write(self, pixels: Pixels, time: float) -> None:
        """Write (h, w, 3) RGB shown from ``time`` seconds on.

        The first frame decides the size, cut to even numbers. Others are fitted into it, with black bars.

        Raises:
            VideoError: The disk is full, or the film cannot be written.
        """
        av = load_av()
        try:
            if self._container is None:
                self._open(av, max(2, pixels.shape[1] // 2 * 2), max(2, pixels.shape[0] // 2 * 2))
            even = _fitted(pixels, self._stream.width, self._stream.height)
            frame = av.VideoFrame.from_ndarray(even, format="rgb24")
            self._last = max(self._last + 1, round(time * CLOCK))
            frame.pts, frame.time_base = self._last, Fraction(1, CLOCK)
            self._container.mux(self._stream.encode(frame))
        except (av.error.FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def _open(self, av: Any, width: int, height: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)  # an OSError here is a sentence of ``write``
        pieces = {} if self.path.suffix.lower() == ".mkv" else {"movflags": FRAGMENTS}
        self._container = av.open(str(self.path), "w", options={**pieces, "flush_packets": "1"})
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        self._stream = self._container.add_stream(codec, rate=25)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, CLOCK)
        self._stream.codec_context.gop_size = KEY_EVERY
        if codec == "libx264":
            # No look-ahead: a frame is in the file when it was given, not forty frames later.
            self._stream.options = {"preset": "veryfast", "crf": "23", "tune": "zerolatency"}

    def _failed(self, error: Exception) -> VideoError:
        return VideoError(
            "expected to write the video", f"{self.path} ({error})", "What was written before is playable"
        )

    def close(self) -> None:
        """Write the frames that the encoder holds back and close the file. Raises VideoError where that fails."""
        if self._container is None:
            return
        av = load_av()
        container, self._container = self._container, None
        try:
            container.mux(self._stream.encode(None))
            container.close()
        except (av.error.FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _fitted(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return pixels at a size: cut by one row or column where that is all, else scaled between black bars."""
    rows, columns = pixels.shape[:2]
    if 0 <= rows - height <= 1 and 0 <= columns - width <= 1:
        return np.ascontiguousarray(pixels[:height, :width])
    factor = min(width / columns, height / rows)
    inner = resize_image(pixels, max(1, round(columns * factor)), max(1, round(rows * factor)))
    inner = inner[:height, :width]
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    framed = np.zeros((height, width, 3), np.uint8)
    framed[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return framed
