"""Small films with known frames, times, rotations and faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def write_packets(
    path: Path,
    frames: Sequence[np.ndarray],
    start: float = 0.0,
    skip: int = 0,
    broken: Sequence[int] = (),
    matrix: Sequence[int] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write H.264 of 10 frames a second, a key frame each 5, packet by packet.

    Args:
        path: The suffix names the format; .ts parts may be joined by their bytes.
        frames: All of one size.
        start: Seconds at which the clock begins.
        skip: Packets at the beginning that are left out.
        broken: Packets whose bytes are replaced.
        matrix: Nine numbers of a display matrix.
        metadata: Of the container.
    """
    import av

    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = 5
        stream.options = {"tune": "zerolatency", "preset": "ultrafast", "x264-params": "scenecut=0"}
        if matrix is not None:
            stream.set_display_matrix(matrix)
        packets = []
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for index, packet in enumerate(packets[skip:], skip):
            kept = packet
            if index in broken:
                whole = bytes(packet)
                kept = av.Packet(whole[:5] + bytes(255 - byte for byte in whole[5:]))
                kept.stream, kept.is_keyframe = stream, packet.is_keyframe
            kept.pts = kept.dts = round((index / 10 + start) * 90_000)
            kept.time_base = Fraction(1, 90_000)
            container.mux(kept)
    return path
