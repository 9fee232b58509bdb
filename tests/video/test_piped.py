"""Films that come through a pipe, and raw streams whose rate the user says."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from crowdscale.video.sources import SourceOptions, VideoError, open_source
from tests.support.films import grey_frame, write_film, write_packets
from tests.support.signals import interruptible

av = pytest.importorskip("av")

GREYS = [grey_frame(level, 128, 96) for level in range(0, 200, 10)]


class Stdin:
    """Standard input with these bytes; nobody can go back in it."""

    def __init__(self, data: bytes) -> None:
        self.buffer = self
        self._file = io.BytesIO(data)

    def read(self, size=-1):
        return self._file.read(size)

    def isatty(self):
        return False


def piped(monkeypatch, data, **options):
    monkeypatch.setattr(sys, "stdin", Stdin(data))
    source = open_source("-", SourceOptions(**options))
    return list(source), source


def raw(path, codec, form):
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = GREYS[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for index, pixels in enumerate(GREYS):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_a_film_is_read_from_a_pipe_with_its_times(tmp_path, monkeypatch, suffix):
    frames, source = piped(monkeypatch, write_packets(tmp_path / f"a{suffix}", GREYS).read_bytes())
    assert [frame.time for frame in frames] == pytest.approx([i / 10 for i in range(20)], abs=0.02)
    assert (source.notes, source.problems, source.live) == ([], [], False)


def test_a_film_with_its_index_at_the_end_is_kept_until_it_is_whole(tmp_path, monkeypatch):
    """Longer than what FFmpeg holds: it cannot go back in a pipe."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (192, 256, 3), np.uint8) for _ in range(20)]
    data = write_packets(tmp_path / "a.mp4", noise).read_bytes()
    assert data.find(b"moov") > 200_000
    frames, source = piped(monkeypatch, data)
    assert len(frames) == 20
    assert (source.notes, source.problems) == ([], [])


@pytest.mark.parametrize(
    ("codec", "form"), [("mjpeg", "mjpeg"), ("mjpeg", "mpjpeg"), ("libx264", "h264"), ("mpeg4", "m4v")]
)
def test_a_raw_stream_has_the_rate_that_the_user_says(tmp_path, monkeypatch, codec, form):
    data = raw(tmp_path / "a", codec, form).read_bytes()
    frames, source = piped(monkeypatch, data, fps=4)
    assert [frame.time for frame in frames] == pytest.approx([i / 4 for i in range(len(frames))])
    assert len(frames) >= 19
    assert not any("assumed" in note or "--fps" in note for note in source.notes)


@pytest.mark.parametrize(("codec", "suffix"), [("mjpeg", ".mjpeg"), ("libx264", ".h264")])
def test_the_rate_of_a_raw_file(tmp_path, codec, suffix):
    path = raw(tmp_path / f"a{suffix}", codec, suffix[1:])
    told = open_source(str(path), SourceOptions(fps=5))
    assert [frame.time for frame in told] == pytest.approx([i / 5 for i in range(20)])
    assert told.notes == []
    untold = open_source(str(path))
    assert [frame.time for frame in untold] == pytest.approx([i / 25 for i in range(20)])
    assert untold.notes == [f"{path} has no times: 25 frames a second assumed (--fps)."]


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv", ".ts"])
def test_a_rate_takes_the_place_of_a_film_s_own_times(tmp_path, suffix):
    """A time lapse of one frame each two seconds lasts 38 seconds, whatever its clock says."""
    path = write_film(tmp_path / f"a{suffix}", GREYS)
    source = open_source(str(path), SourceOptions(fps=0.5))
    assert [frame.time for frame in source] == pytest.approx([2 * i for i in range(20)])
    assert source.notes == [f"{path} gets 0.5 frames a second (--fps), not its own times."]
    assert source.problems == []


def test_a_film_cut_short_is_told_under_a_rate_too(tmp_path):
    path = write_film(tmp_path / "a.mkv", GREYS * 5)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    source = open_source(str(path), SourceOptions(fps=1000))
    assert len(list(source)) < 90
    assert "cut short" in " ".join(source.problems)


@pytest.mark.parametrize("data", [b"", b"no film at all" * 99], ids=["nothing", "something else"])
def test_no_film_in_a_pipe_is_one_sentence(monkeypatch, data):
    with pytest.raises(VideoError, match=r"expected a .*standard input"):
        piped(monkeypatch, data)


def test_a_pipe_cannot_begin_again_and_a_terminal_is_no_film(monkeypatch):
    with pytest.raises(VideoError, match="begin again with --loop"):
        piped(monkeypatch, b"", loop=True)
    monkeypatch.setattr(Stdin, "isatty", lambda _: True)
    with pytest.raises(VideoError, match=r"but got a terminal\. For example: cat film"):
        piped(monkeypatch, b"")


def test_ctrl_c_ends_a_pipe_that_says_nothing(tmp_path):
    """In a process of its own: the container waits in the middle of a film."""
    data = write_packets(tmp_path / "a.ts", GREYS).read_bytes()
    code = (
        "from crowdscale.video.sources import open_source\n"
        "try:\n    for frame in open_source('-'):\n        print(frame.index, flush=True)\n"
        "except KeyboardInterrupt:\n    print('ended', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=interruptible  # noqa: PLW1509
    )  # fmt: skip
    process.stdin.write(data * 4)
    process.stdin.flush()
    assert process.stdout.readline() == b"0\n"
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    assert process.stdout.read().endswith(b"ended\n")
    assert process.returncode == 0
