"""Small films with known frames, times, rotations and faults."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np


def grey_frame(level: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A frame of one grey; its top-left quarter is white, so that a rotation shows."""
    pixels = np.full((height, width, 3), level, np.uint8)
    pixels[: height // 2, : width // 2] = 255
    return pixels


def write_film(
    path: Path,
    frames: Sequence[np.ndarray],
    times: Sequence[float] | None = None,
    rotation: int = 0,
    codec: str = "mpeg4",
) -> Path:
    """Write frames at the times given (25 a second by default), shown rotated counter-clockwise by so many degrees."""
    import av

    times = times or [index / 25 for index in range(len(frames))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000 if codec != "mjpeg" else 25)
        if rotation:
            stream.set_display_rotation(rotation)
        for time, pixels in zip(times, frames, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = round(time / stream.codec_context.time_base)
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
