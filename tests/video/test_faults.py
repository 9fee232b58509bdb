"""Films with faults of every kind: damaged packets, jumping clocks, mirrored pictures, recordings over HTTP."""

from __future__ import annotations

import http.server
import itertools
import subprocess
import sys
import threading

import numpy as np
import pytest

from crowdscale.errors import without_password
from crowdscale.files.images import write_image
from crowdscale.video.decoding import Clock
from crowdscale.video.sources import SourceOptions, VideoError, open_source
from tests.support.films import grey_frame, write_packets

av = pytest.importorskip("av")

GREYS = [grey_frame(level, 128, 96) for level in range(0, 200, 10)]


def level(frame):
    return float(np.median(frame.pixels[-10:, -10:]))


def read(path, **options):
    source = open_source(str(path), SourceOptions(**options))
    return list(source), source


def test_one_damaged_packet_costs_itself_and_marks_what_follows(tmp_path):
    frames, source = read(write_packets(tmp_path / "a.mkv", GREYS, broken=[7]))
    assert 17 <= len(frames) <= 20
    assert level(frames[-1]) == pytest.approx(190, abs=6)
    damaged = [round(10 * frame.time) for frame in frames if frame.damaged]
    assert damaged
    assert set(damaged) <= {7, 8, 9}  # until the next key frame
    assert source.problems == []
    assert any("damaged packet" in note for note in source.notes)


def test_a_film_of_nothing_but_damage_ends(tmp_path):
    path = write_packets(tmp_path / "a.mkv", GREYS[:6], broken=range(6))
    with pytest.raises(VideoError, match="without any that can be read"):
        read(path)


@pytest.mark.parametrize(
    ("first", "second", "way"), [(40, 10, "back"), (10, 40, "ahead"), (0, 95_000, "ahead")]
)
def test_times_go_on_where_the_clock_jumps(tmp_path, first, second, way):
    parts = [write_packets(tmp_path / f"{at}.ts", GREYS[:10], at).read_bytes() for at in (first, second)]
    (tmp_path / "a.ts").write_bytes(b"".join(parts))
    frames, source = read(tmp_path / "a.ts")
    assert [frame.time for frame in frames] == pytest.approx([i / 10 for i in range(20)], abs=0.11)
    assert source.problems == []
    assert sum("The clock" in note and way in note for note in source.notes) == 1


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([5, 6, 7, 2, 3], [0, 1, 2, 3, 4]),
        ([0, 1, 1000, 1001], [0, 1, 2, 3]),
        ([0, 1, 9, 10], [0, 1, 9, 10]),  # a slow recording
        ([None, None, None], [0, 1, 2]),
        ([0, None, 2, float("nan"), 4], [0, 1, 2, 3, 4]),
        ([None, 7, 8], [0, 1, 2]),
        ([3, 3, 4], [0, 0, 1]),
    ],
    ids=str,
)
def test_the_clock(stamps, times):
    clock = Clock(rate=1.0, jump=10.0)
    assert [clock.at(stamp) for stamp in stamps] == pytest.approx(times)


def test_a_beginning_without_key_frame_is_left_out_with_a_note(tmp_path):
    frames, source = read(write_packets(tmp_path / "a.ts", GREYS, skip=2))
    assert len(frames) == 15
    assert frames[0].time == 0
    assert level(frames[0]) == pytest.approx(50, abs=6)
    assert source.problems == []
    assert any("begins without a key frame: 3 frames" in note for note in source.notes)


ONE = 1 << 16


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((ONE, 0, 0, ONE), lambda p: p),
        ((-ONE, 0, 0, ONE), lambda p: p[:, ::-1]),
        ((ONE, 0, 0, -ONE), lambda p: p[::-1]),
        ((-ONE, 0, 0, -ONE), lambda p: p[::-1, ::-1]),
        ((0, ONE, -ONE, 0), lambda p: np.rot90(p, -1)),
        ((0, -ONE, ONE, 0), lambda p: np.rot90(p, 1)),
        ((0, ONE, ONE, 0), lambda p: p.transpose(1, 0, 2)),
        ((0, -ONE, -ONE, 0), lambda p: p[::-1, ::-1].transpose(1, 0, 2)),
    ],
    ids=[
        "upright",
        "mirrored",
        "upside down mirrored",
        "180",
        "90 right",
        "90 left",
        "transposed",
        "transverse",
    ],
)
def test_the_display_matrix_turns_and_mirrors(tmp_path, matrix, shown):
    a, b, c, d = matrix
    whole = (a, b, 0, c, d, 0, 0, 0, 1 << 30)
    frames, _ = read(write_packets(tmp_path / "a.mp4", GREYS[:3], matrix=whole))
    expected = shown(GREYS[0])
    assert frames[0].pixels.shape == expected.shape
    assert np.abs(frames[0].pixels.astype(int) - expected).mean() < 8


def test_a_size_that_changes_goes_on(tmp_path):
    small = [frame[::2, ::2] for frame in GREYS[:10]]
    parts = [write_packets(tmp_path / f"{len(f[0])}.ts", f).read_bytes() for f in (GREYS[:10], small)]
    (tmp_path / "a.ts").write_bytes(b"".join(parts))
    frames, source = read(tmp_path / "a.ts")
    assert {frame.pixels.shape for frame in frames} == {(96, 128, 3), (48, 64, 3)}
    assert len(frames) == 20
    assert source.problems == []


class Server(http.server.BaseHTTPRequestHandler):
    """A film and a photo under names without suffix."""

    bodies: dict[str, tuple[str, bytes]]
    visits: list[str]

    def do_GET(self):
        self.visits.append(self.path)
        if self.path not in self.bodies:
            self.send_error(404)
            return
        kind, body = self.bodies[self.path]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    film = write_packets(tmp_path / "a.mp4", GREYS).read_bytes()
    rng = np.random.default_rng(0)  # longer than what FFmpeg holds, and its index stands at the end
    long = write_packets(
        tmp_path / "b.mp4", [rng.integers(0, 255, (96, 128, 3), np.uint8) for _ in range(20)]
    )
    stream = write_packets(tmp_path / "a.ts", GREYS).read_bytes()
    write_image(tmp_path / "a.jpg", GREYS[5])
    playlist = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\nseg.ts\n#EXT-X-ENDLIST\n"
    bodies = {
        "/film": ("video/mp4", film),
        "/long": ("video/mp4", long.read_bytes()),
        "/film.ts": ("video/mp2t", stream),
        "/seg.ts": ("video/mp2t", stream),
        "/vod.m3u8": ("application/vnd.apple.mpegurl", playlist.replace(b"seg.ts", b"long")),
        "/master.m3u8": (
            "application/vnd.apple.mpegurl",
            b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\nvod.m3u8\n",
        ),
        "/list.m3u8": ("application/vnd.apple.mpegurl", playlist),
        "/snapshot": ("image/jpeg", (tmp_path / "a.jpg").read_bytes()),
        "/snapshot.jpg": ("image/jpeg", (tmp_path / "a.jpg").read_bytes()),
    }
    handler = type("Films", (Server,), {"bodies": bodies, "visits": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", handler
        running.shutdown()


@pytest.mark.parametrize("name", ["/film", "/film.ts", "/list.m3u8", "/long", "/vod.m3u8", "/master.m3u8"])
def test_a_recording_over_http_ends_when_it_ends(server, name):
    source = open_source(server[0] + name, SourceOptions(timeout=5, retries=0))
    assert not source.live
    frames = list(source)
    assert [frame.time for frame in frames] == pytest.approx([i / 10 for i in range(20)], abs=0.02)
    assert (source.problems, source.notes) == ([], [])


@pytest.mark.parametrize("name", ["/snapshot", "/snapshot.jpg"])
def test_a_snapshot_is_asked_again_and_is_never_lost(server, name):
    source = open_source(server[0] + name, SourceOptions(fps=50, timeout=5, retries=0))
    assert source.live
    frames = list(itertools.islice(source, 4))
    assert [level(frame) for frame in frames] == pytest.approx([50] * 4, abs=4)
    assert source.notes == [
        f"{source.name} sends one photo at a time: it is asked 50 times a second (--fps)."
    ]
    assert not any("lost" in note for note in source.notes)


def test_a_snapshot_that_stays_away_ends(server, monkeypatch):
    source = open_source(server[0] + "/snapshot", SourceOptions(fps=50, timeout=5, retries=2))
    monkeypatch.setattr(source.stopping, "wait", lambda _: False)
    frames = iter(source._frames(source))
    next(frames)
    server[1].bodies.pop("/snapshot")
    assert len(list(frames)) <= 1
    assert source.problems == [f"lost {source.name}: no frames after 2 attempts to reach it again."]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://admin:S3cret@127.0.0.1:9/x", "rtsp://admin:***@127.0.0.1:9/x"),
        ("rtsp://:S3cret@h/x", "rtsp://:***@h/x"),
        ("rtsp://admin:S3/cr@et@h:554/x", "rtsp://admin:***@h:554/x"),
        ("http://h/live?user=a&password=S3cret&x=1", "http://h/live?user=a&password=***&x=1"),
        ("http://h/live?X-Amz-Signature=S3cret", "http://h/live?X-Amz-Signature=***"),
        ("http://h:8080/a@b", "http://h:8080/a@b"),
        ("https://h/x", "https://h/x"),
        ("no address: a@b", "no address: a@b"),
    ],
)
def test_passwords_are_hidden(address, shown):
    assert without_password(address) == shown
    assert without_password(f"lost {address} (why)") == f"lost {shown} (why)"
    assert without_password(shown) == shown


@pytest.mark.parametrize("scheme", ["rtsp", "http", "rtmp"])
def test_a_camera_s_password_is_in_no_error_and_no_note(scheme, capfd):
    with pytest.raises(VideoError) as caught:
        open_source(f"{scheme}://admin:S3cret@127.0.0.1:9/x", SourceOptions(timeout=2, retries=0))
    assert "S3cret" not in str(caught.value)
    assert "admin:***@" in str(caught.value)
    assert "S3cret" not in "".join(capfd.readouterr())


def test_a_damaged_stream_hangs_nobody(tmp_path):
    """In a process of its own: a callback of FFmpeg's log that waits for the interpreter would hang it for ever."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (96, 128, 3), np.uint8) for _ in range(30)]
    data = bytearray(write_packets(tmp_path / "a.ts", noise).read_bytes())
    code = (
        "import sys\nfrom crowdscale.video.sources import open_source, VideoError\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        print(len(list(open_source(name))))\n"
        "    except VideoError as error:\n        print(error)\n"
    )
    names = []
    for trial in range(12):
        damaged = bytearray(data)
        for at in rng.integers(2000, len(data) - 400, 6):
            damaged[at : at + 300] = rng.integers(0, 255, 300, np.uint8).tobytes()
        names.append(str(tmp_path / f"{trial}.ts"))
        (tmp_path / f"{trial}.ts").write_bytes(damaged)
    done = subprocess.run(
        [sys.executable, "-c", code, *names], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 12
