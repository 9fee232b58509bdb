"""Frames come with their true times, upright, from files with every fault, folders, streams that are lost."""

from __future__ import annotations

import gc
import http.server
import itertools
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdscale.files.images import write_image
from crowdscale.video.sources import Frame, Source, SourceOptions, VideoError, load_av, open_source, sample
from crowdscale.video.writer import VideoWriter
from tests.support.films import grey_frame, write_film

av = pytest.importorskip("av")

GREYS = [grey_frame(level) for level in range(0, 250, 10)]


def level(frame):
    return float(np.median(frame.pixels[-10:, -10:]))


def test_a_file_gives_its_frames_in_order_with_their_times(tmp_path):
    source = open_source(str(write_film(tmp_path / "a.mp4", GREYS)))
    frames = list(source)
    assert [frame.index for frame in frames] == list(range(25))
    assert [frame.time for frame in frames] == pytest.approx([i / 25 for i in range(25)], abs=1e-3)
    assert [level(frame) for frame in frames] == pytest.approx(list(range(0, 250, 10)), abs=8)
    assert (source.notes, source.problems) == ([], [])


def test_variable_rate_is_told_by_the_frames_own_times(tmp_path):
    times = [0, 0.04, 0.5, 0.52, 2.0, 2.04, 3.5]
    source = open_source(str(write_film(tmp_path / "a.mp4", GREYS[:7], times)))
    frames = list(source)
    assert [frame.time for frame in frames] == pytest.approx(times, abs=2e-3)
    assert [frame.index for frame in sample(frames, 1.0)] == [0, 4, 6]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_phone_held_otherwise_is_upright(tmp_path, degrees):
    """The white quarter is where a player shows it: rotated counter-clockwise by so many degrees."""
    (frame, *_) = open_source(str(write_film(tmp_path / "a.mp4", GREYS[:3], rotation=degrees)))
    shown = np.rot90(grey_frame(0), degrees // 90)
    assert frame.pixels.shape == shown.shape
    assert np.abs(frame.pixels.astype(int) - shown).mean() < 8


def test_a_file_without_times_gets_a_rate_and_says_so(tmp_path):
    """A raw stream of JPEGs has no clock: 0 frames a second, says its header."""
    film = write_film(tmp_path / "a.mjpeg", GREYS[:10], codec="mjpeg")
    source = open_source(str(film))
    times = [frame.time for frame in source]
    assert len(times) == 10
    assert np.diff(times) == pytest.approx([0.04] * 9)


def test_no_rate_and_no_times_at_all(tmp_path, monkeypatch):
    from crowdscale.video import sources as video

    class Picture:
        time, rotation, key_frame, width, height = None, 0, True, 64, 48

        def to_ndarray(self, format):
            return GREYS[0]

    class Packet:
        size, is_keyframe = 9, True

        def decode(self):
            return [Picture()]

    class Stream:
        average_rate, frames, thread_type, metadata = None, 0, "", {}

    class Container:
        metadata: dict[str, str] = {}  # noqa: RUF012
        duration, format = None, None

        class Streams(list):
            @property
            def video(self):
                return self

        streams = Streams([Stream()])

        def demux(self, stream):
            return iter([Packet()] * 4)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(video, "open_container", lambda *_, **__: Container())
    (tmp_path / "a.mp4").touch()
    source = open_source(str(tmp_path / "a.mp4"))
    assert [frame.time for frame in source] == pytest.approx([0, 0.04, 0.08, 0.12])
    assert source.notes == [f"{tmp_path / 'a.mp4'} has no times: 25 frames a second assumed."]


@pytest.mark.parametrize("suffix", [".avi", ".mkv"])
def test_a_truncated_file_gives_what_it_has_and_says_so(tmp_path, suffix):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(40)]
    film = write_film(tmp_path / f"a{suffix}", frames)
    whole = film.read_bytes()
    film.write_bytes(whole[: int(len(whole) * 0.6)])
    source = open_source(str(film))
    got = len(list(source))
    assert 10 < got < 40
    assert len(source.problems) == 1
    assert "it was cut short" in source.problems[0] or f"end after {got} frames" in source.problems[0]


@pytest.mark.parametrize("suffix", [".avi", ".mkv", ".mp4"])
@pytest.mark.parametrize("times", [None, [0, 0.1, 0.5, 0.6, 2.0, 2.1]], ids=["steady", "variable"])
def test_a_whole_file_is_not_said_to_be_cut(tmp_path, suffix, times):
    """The AVI promises ticks of a thousandth of a second as frames."""
    film = write_film(tmp_path / f"a{suffix}", [grey_frame(200)] * len(times or range(20)), times)
    source = open_source(str(film))
    assert len(list(source)) == len(times or range(20))
    assert source.problems == []


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.mp4", None, "no such film: "),
        ("text.mp4", b"no film at all " * 99, "expected a video or a camera that can be opened"),
        ("empty.mp4", b"", "expected a video or a camera that can be opened"),
    ],
)
def test_what_is_no_film(tmp_path, name, content, sentence):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoError, match=sentence):
        list(open_source(str(tmp_path / name)))


def test_an_mp4_cut_before_its_index_is_one_sentence(tmp_path):
    film = write_film(tmp_path / "a.mp4", GREYS)
    film.write_bytes(film.read_bytes()[:900])
    with pytest.raises(VideoError, match="can be opened, but got"):
        list(open_source(str(film)))


def test_a_folder_is_a_film_in_the_order_of_its_numbers(tmp_path):
    for number in (1, 2, 10):
        write_image(tmp_path / f"frame{number}.png", grey_frame(number * 10))
    (tmp_path / "frame3.png").write_bytes(b"broken")
    source = open_source(str(tmp_path), SourceOptions(fps=2))
    frames = list(source)
    assert [(frame.index, frame.time, level(frame)) for frame in frames] == [
        (0, 0, 10),
        (1, 0.5, 20),
        (3, 1.5, 100),
    ]
    assert len(source.problems) == 1
    assert "frame3.png" in source.problems[0]


def test_an_empty_folder_and_a_camera_that_is_not_there(tmp_path):
    with pytest.raises(VideoError, match=r"expected pictures .* without any"):
        list(open_source(str(tmp_path)))
    if sys.platform == "linux":
        with pytest.raises(VideoError, match="expected a camera, but got none at /dev/video77"):
            list(open_source("77"))


def test_a_loop_goes_on_in_time(tmp_path):
    source = open_source(str(write_film(tmp_path / "a.mp4", GREYS[:5])), SourceOptions(loop=True))
    times = [frame.time for frame in itertools.islice(source, 12)]
    assert np.diff(times).min() > 0.03


@given(st.lists(st.floats(0.001, 3), min_size=1, max_size=60), st.sampled_from([0.1, 0.5, 1.0, 2.0]))
def test_samples_are_the_first_frames_at_or_after_each_multiple(steps, every):
    times = np.cumsum([0, *steps])
    frames = [Frame(i, float(t), GREYS[0]) for i, t in enumerate(times)]
    chosen = {frame.index for frame in sample(frames, every)}
    slots = np.floor(times / every + 1e-6)
    assert chosen == {int(np.nonzero(slots == slot)[0][0]) for slot in set(slots)}


def test_every_zero_takes_all():
    frames = [Frame(i, i / 10, GREYS[0]) for i in range(7)]
    assert list(sample(frames, 0)) == frames


def test_an_unreachable_camera_is_one_sentence_within_seconds():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # bound but not listening: nobody answers there
        for address in (f"rtsp://127.0.0.1:{port}/live", f"http://127.0.0.1:{port}/live"):
            started = time.monotonic()
            with pytest.raises(VideoError, match="expected a video or a camera that can be opened, but got"):
                list(open_source(address, SourceOptions(timeout=3)))
            assert time.monotonic() - started < 20


class Cameras(http.server.BaseHTTPRequestHandler):
    """A camera of JPEGs over HTTP whose connection breaks after some frames, and which comes back twice."""

    visits: list[int]
    pictures: list[bytes]

    def do_GET(self):
        self.visits.append(1)
        if len(self.visits) > 3:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for picture in self.pictures:
            part = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n".encode()
            self.wfile.write(part + picture + b"\r\n")
            time.sleep(0.02)

    def log_message(self, *_):
        pass


@pytest.fixture
def camera(tmp_path):
    pictures = []
    for number in range(15):
        write_image(tmp_path / "p.jpg", grey_frame(number * 10))
        pictures.append((tmp_path / "p.jpg").read_bytes())
    handler = type("Camera", (Cameras,), {"visits": [], "pictures": pictures})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/live"
        server.shutdown()


def test_a_lost_stream_is_reached_for_again_until_it_stays_away(camera, monkeypatch):
    waits = []
    address = camera
    source = open_source(address, SourceOptions(timeout=3, retries=4))
    monkeypatch.setattr(source.stopping, "wait", waits.append)
    frames = list(source._frames(source))  # each frame, without the thread that keeps the newest
    assert len(frames) > 30
    assert all(after.time > before.time for before, after in itertools.pairwise(frames))
    assert sum("is back" in note for note in source.notes) == 1  # at most once a minute
    assert source.problems == [f"lost {address}: no frames after 4 attempts to reach it again."]
    assert waits[-4:] == [1, 2, 4, 8]


def test_a_lost_stream_that_is_stopped_is_not_reached_for_again(camera):
    source = open_source(camera, SourceOptions(timeout=3, retries=None))
    frames = source._frames(source)
    next(frames)
    source.stop()
    assert len(list(frames)) == 14  # to the end of this connection
    assert source.reconnects == 0
    assert not source.problems


def test_a_slow_counter_gets_the_newest_frame_and_the_rest_are_counted_as_dropped(camera):
    address = camera
    source = open_source(address, SourceOptions(timeout=3, retries=0))
    assert source.live
    seen = []
    for frame in source:
        seen.append(frame.index)
        time.sleep(0.12)
    assert len(seen) < 10
    assert source.dropped + len(seen) >= 13
    assert seen == sorted(seen)


def test_what_is_written_is_read_back_with_its_times(tmp_path):
    times = [0, 0.2, 0.7, 3.0]
    with VideoWriter(tmp_path / "deep" / "a.mp4") as writer:
        for time_, pixels in zip(times, GREYS[::5], strict=False):
            writer.write(pixels, time_)
    frames = list(open_source(str(tmp_path / "deep" / "a.mp4")))
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-3)
    assert [level(frame) for frame in frames] == pytest.approx([0, 50, 100, 150], abs=8)


def test_odd_sizes_are_cut_and_others_fitted_between_bars(tmp_path):
    with VideoWriter(tmp_path / "a.mp4") as writer:
        writer.write(grey_frame(9, 65, 49), 0)
        writer.write(np.full((48, 200, 3), 200, np.uint8), 1)  # flatter
        writer.write(np.full((20, 10, 3), 100, np.uint8), 2)  # smaller and higher
        writer.write(grey_frame(9, 64, 70), 3)  # a caption has grown
    frames = [frame.pixels for frame in open_source(str(tmp_path / "a.mp4"))]
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 4
    rows, columns = frames[1].mean(axis=(1, 2)), frames[2].mean(axis=(0, 2))
    assert (rows > 150).sum() == pytest.approx(15, abs=2)
    assert rows[[0, -1]].max() < 20
    assert (columns > 80).sum() == pytest.approx(24, abs=2)


def test_nothing_written_is_no_file(tmp_path):
    with VideoWriter(tmp_path / "a.mp4"):
        pass
    assert not (tmp_path / "a.mp4").exists()


def test_a_killed_program_leaves_a_film_that_plays(tmp_path):
    code = f"""
import sys, time; sys.path.insert(0, {str(__import__("pathlib").Path(__file__).parents[2])!r})
from pathlib import Path
from crowdscale.video.writer import VideoWriter
from tests.support.films import grey_frame
writer = VideoWriter(Path({str(tmp_path / "a.mp4")!r}))
for number in range(60):
    writer.write(grey_frame(number, 160, 120), number / 10)
print("written", flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "written\n"
    process.kill()
    process.wait()
    frames = list(open_source(str(tmp_path / "a.mp4")))
    assert len(frames) >= 45


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files by setrlimit")
def test_a_full_disk_is_one_sentence_and_the_film_plays(tmp_path):
    code = f"""
import resource, signal, sys; sys.path.insert(0, {str(__import__("pathlib").Path(__file__).parents[2])!r})
from pathlib import Path
import numpy as np
from crowdscale.errors import CrowdscaleError
from crowdscale.video.writer import VideoWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
rng = np.random.default_rng(0)
try:
    with VideoWriter(Path({str(tmp_path / "a.mp4")!r})) as writer:
        for number in range(300):
            writer.write(rng.integers(0, 255, (120, 160, 3), np.uint8), number / 10)
except CrowdscaleError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "expected to write the video, but got" in done.stdout
    assert "What was written before is playable" in done.stdout
    assert len(list(open_source(str(tmp_path / "a.mp4")))) > 5


def test_pyav_s_log_is_left_alone():
    """Any level that is set installs a callback that can wait for ever for the interpreter's lock."""
    before = av.logging.get_level()
    load_av()
    assert av.logging.get_level() == before


def test_no_frame_is_kept_by_a_cycle(tmp_path):
    """PyAV's side data holds its frame: each frame read that way stays until Python collects cycles, perhaps never."""
    film = write_film(tmp_path / "a.mp4", GREYS)

    def kept():
        return sum(isinstance(each, av.VideoFrame) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    before = kept()
    try:
        for frame in open_source(str(film)):
            if frame.index == len(GREYS) - 1:
                assert kept() - before <= 10  # those that the decoder holds
        assert kept() - before <= 1
    finally:
        gc.enable()


def test_a_note_that_comes_each_second_is_made_once_a_minute(monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("crowdscale.video.frame.time.monotonic", lambda: next(clock))
    source = Source("cam", lambda _: iter(()))
    for _ in range(14):
        source.note_seldom("back", "cam is back.")
    assert source.notes == [
        "cam is back.",
        "cam is back. 5 more such notes were left out.",
        "cam is back. 5 more such notes were left out.",
    ]
    for number in range(2000):
        source.note(str(number))
    assert len(source.notes) == 500
    assert source.notes[-1] == "1999"
