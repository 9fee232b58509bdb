"""Photos found as a stream and read whole, wherever they are."""

from __future__ import annotations

import http.server
import os
import re
import threading
from pathlib import Path

import fsspec
import pytest

from crowdscale.errors import ImageError, OptionError
from crowdscale.files.storage import Folder, find_photos, read_photo_bytes


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name in ("b.jpg", "a.PNG", "deep/c.webp", "deep/notes.txt", ".hidden.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("{tree}", ["{tree}/a.PNG", "{tree}/b.jpg", "{tree}/deep/c.webp"]),
        ("deep", ["deep/c.webp"]),
        ("*.jpg", ["b.jpg"]),
        ("**/*.webp", ["deep/c.webp"]),
        ("deep/notes.txt", ["deep/notes.txt"]),
        ("missing.jpg", ["missing.jpg"]),
        ("file://{tree}/deep", ["file://{tree}/deep/c.webp"]),
    ],
)
def test_photos_are_named_as_their_source_is(tree, source, found):
    assert list(find_photos([source.format(tree=tree)])) == [name.format(tree=tree) for name in found]


@pytest.mark.parametrize("source", ["*.tiff", "memory://nothing-here/*"])
def test_a_source_without_photos_is_said(tree, source):
    with pytest.raises(ImageError, match="no photos in"):
        list(find_photos([source]))


def test_listing_is_a_stream(tree):
    """The first photo comes before the second folder is looked at."""
    stream = find_photos([str(tree)])
    assert next(stream).endswith("a.PNG")
    (tree / "deep" / "late.jpg").write_bytes(b"")
    assert [Path(photo).name for photo in stream] == ["b.jpg", "c.webp", "late.jpg"]


def test_bytes_come_from_memory_and_over_http(tree):
    fsspec.filesystem("memory").pipe_file("/kept/x.jpg", b"bytes")
    assert read_photo_bytes("memory://kept/x.jpg") == b"bytes"

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        assert read_photo_bytes(address + "b.jpg") == b"b.jpg"
        with pytest.raises(ImageError, match="no such photo: http"):
            read_photo_bytes(address + "nothing.jpg")
        server.shutdown()


@pytest.mark.parametrize(
    ("source", "sentence"),
    [("none.jpg", "no such photo: none.jpg"), ("deep", "deep is a folder"), ("a.PNG", None)],
)
def test_reading(tree, source, sentence):
    if sentence is None:
        assert read_photo_bytes(source) == b"a.PNG"
    else:
        with pytest.raises(ImageError, match=sentence):
            read_photo_bytes(source)


@pytest.mark.parametrize(("changes", "whole"), [(1, True), (2, False)])
def test_a_photo_that_changes_while_it_is_read(tree, monkeypatch, changes, whole):
    """It is read once more; one that changes again is a sentence, not half a photo."""
    read, left = Path.read_bytes, [changes]

    def read_and_change(path):
        data = read(path)
        if left[0]:
            left[0] -= 1
            path.write_bytes(data + b"more")
        return data

    monkeypatch.setattr(Path, "read_bytes", read_and_change)
    if whole:
        assert read_photo_bytes("b.jpg") == b"b.jpgmore"
    else:
        with pytest.raises(
            ImageError, match=r"stays as it is, but got b\.jpg, which changed while it was read"
        ):
            read_photo_bytes("b.jpg")


def test_an_unknown_protocol_is_one_sentence():
    with pytest.raises(OptionError, match="expected a path or an address"):
        list(find_photos(["nowhere://photos"]))


@pytest.mark.parametrize("fault", [RuntimeError("no\ncredentials"), TimeoutError(), OSError("refused")])
def test_a_store_that_cannot_be_reached_is_one_sentence(monkeypatch, fault):
    def fail(*_, **__):
        raise fault

    files = type(fsspec.filesystem("memory"))
    for name in ("isdir", "glob", "info", "cat_file", "pipe_file"):
        monkeypatch.setattr(files, name, fail)
    said = " ".join(str(fault).split()) or "TimeoutError"
    for source in ("memory://far", "memory://far/*.jpg"):
        with pytest.raises(ImageError, match=rf"{re.escape(source)} cannot be reached \({said}\)\. Check"):
            list(find_photos([source]))
    folder = Folder("memory://far")
    with pytest.raises(ImageError, match="cannot be reached"):
        folder.names("counts")
    with pytest.raises(ImageError, match="cannot be reached"):
        folder.read("job.json")
    with pytest.raises(OptionError, match="expected to write results"):
        folder.write("job.json", b"")
    with pytest.raises(ImageError, match="cannot be read"):
        read_photo_bytes("memory://far/a.jpg")


def test_an_address_that_its_file_system_refuses_is_one_sentence(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no region")

    monkeypatch.setattr(fsspec.core, "url_to_fs", fail)
    with pytest.raises(OptionError, match=r"can be opened, but got s3://far/a\.jpg \(no region\)"):
        read_photo_bytes("s3://far/a.jpg")


def test_other_pictures_are_reported(tree):
    for name in ("d.psd", "deep/scan", ".cache"):
        (tree / name).touch()
    others = []
    assert len(list(find_photos([str(tree)], others.append))) == 3
    assert [Path(other).name for other in others] == ["d.psd", "scan"]


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
def test_links_to_nothing_and_pipes_are_broken_photos(tree):
    (tree / "deep" / "gone.jpg").symlink_to("nothing")
    os.mkfifo(tree / "deep" / "pipe.jpg")
    assert list(find_photos(["deep"])) == ["deep/c.webp", "deep/gone.jpg", "deep/pipe.jpg"]
    for name, sentence in (("gone", "no such photo"), ("pipe", "a pipe or a device")):
        with pytest.raises(ImageError, match=sentence):
            read_photo_bytes(f"deep/{name}.jpg")


@pytest.mark.parametrize("where", ["local", "memory"])
def test_files_of_a_folder_are_whole(tmp_path, where):
    folder = Folder(str(tmp_path / "x") if where == "local" else f"memory://{tmp_path.name}")
    assert folder.names("deep") == []
    assert folder.read("deep/a") is None
    folder.write("deep/a", b"1")
    folder.write("deep/a", b"22")
    assert folder.read("deep/a") == b"22"
    assert folder.names("deep") == ["a"]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OptionError, match="expected to write results, but got"):
        Folder(str(tmp_path / "file")).write("deep/a", b"")


class Bodies(http.server.BaseHTTPRequestHandler):
    """Bodies without a length, with a false one, without an end, and none at all."""

    def do_HEAD(self):
        self.send_response(200)
        self.end_headers()

    def do_GET(self):
        if self.path == "/silent.jpg":
            self.server.release.wait(20)
            return
        self.send_response(200)
        if self.path == "/whole.jpg":
            self.send_header("Content-Length", "7")
        self.end_headers()
        try:
            self.wfile.write(b"7 bytes")
            while self.path == "/endless.jpg":
                self.wfile.write(bytes(2**20))
        except OSError:
            self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def bodies():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bodies) as server:
        server.release = threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.release.set()
        server.shutdown()


def test_a_body_without_end_is_refused_at_the_limit(bodies, monkeypatch):
    monkeypatch.setattr("crowdscale.files.web.MOST_BYTES", 5 * 2**20)
    assert read_photo_bytes(f"{bodies}/whole.jpg") == b"7 bytes"
    assert read_photo_bytes(f"{bodies}/without-length.jpg") == b"7 bytes"
    with pytest.raises(ImageError, match=r"at most 5\.24288 MB at a web address, but got more at http"):
        read_photo_bytes(f"{bodies}/endless.jpg")


def test_a_silent_server_is_given_up(bodies, monkeypatch):
    monkeypatch.setattr("crowdscale.files.web.SILENT", 0.3)
    with pytest.raises(ImageError, match="cannot be fetched"):
        read_photo_bytes(f"{bodies}/silent.jpg")


def test_a_large_file_is_refused_before_it_is_read(tree, monkeypatch):
    monkeypatch.setattr("crowdscale.files.storage.MAX_BYTES", 4)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    with pytest.raises(ImageError, match="expected a photo of at most"):
        read_photo_bytes("b.jpg")


def test_a_password_in_an_address_is_in_no_error(bodies):
    address = bodies.replace("http://", "http://user:S3cret@")
    with pytest.raises(ImageError) as caught:
        read_photo_bytes(f"{address.rsplit(':', 1)[0]}:9/a.jpg")
    assert "S3cret" not in str(caught.value)
