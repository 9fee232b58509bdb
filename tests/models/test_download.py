"""Downloads from a server on this machine that breaks off, sends the wrong file, or knows no ranges."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from crowdscale.errors import ModelError, OptionError
from crowdscale.models.download import Retry, Source, download, find_source, read_index

CONTENT = np.random.default_rng(0).bytes(300_000)
HASH = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT at any path; what goes wrong is set by the tests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.breaks: list[int] = []
        """Bytes after which each of the next answers breaks off."""
        self.codes: list[int] = []
        """Status of each of the next answers, before any that works."""
        self.ranges = True
        self.asked: list[str] = []
        """The Range of each request."""
        self.sent = 0
        self.length = ""
        """What is sent in the place of the true Content-Length."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/model.crowdscale"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        wanted = self.headers.get("Range", "")
        server.asked.append(wanted)
        if server.codes:
            self.send_error(server.codes.pop(0))
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.ranges else 0
        if start and start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", server.length or str(len(body)))
        self.end_headers()
        body = body[: server.breaks.pop(0)] if server.breaks else body
        server.sent += len(body)
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server():
    with Server() as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield running
        running.shutdown()


def fetch(server: Server, target: Path, sha256: str = HASH, tries: int = 4) -> list[float]:
    """Fetch and return the seconds that would have been waited."""
    waits: list[float] = []
    download(Source(server.url, sha256), target, Retry(tries=tries), sleep=waits.append)
    return waits


def test_a_file_arrives_whole_and_is_not_fetched_twice(server, tmp_path):
    told = []
    for _ in range(2):
        download(
            Source(server.url, HASH), tmp_path / "m", progress=lambda have, total: told.append((have, total))
        )
    assert (tmp_path / "m").read_bytes() == CONTENT
    assert server.asked == [""]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [have for have, _ in told] == sorted(have for have, _ in told)


def test_a_broken_connection_goes_on_where_it_broke(server, tmp_path):
    server.breaks = [100_000, 50_000]
    assert fetch(server, tmp_path / "m") == [1.0, 1.0]  # each attempt brought something: no longer waits
    assert (tmp_path / "m").read_bytes() == CONTENT
    assert server.asked == ["", "bytes=100000-", "bytes=150000-"]
    assert server.sent == len(CONTENT)  # nothing twice


def test_a_later_run_goes_on_too(server, tmp_path):
    server.breaks, server.codes = [120_000], []
    with pytest.raises(ModelError, match=r"the part is kept"):
        fetch(server, tmp_path / "m", tries=1)
    assert not (tmp_path / "m").exists()
    fetch(server, tmp_path / "m")
    assert server.asked == ["", "bytes=120000-"]
    assert (tmp_path / "m").read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_of_it_again(server, tmp_path):
    server.breaks, server.ranges = [100_000], False
    fetch(server, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == CONTENT


def test_waits_double_while_nothing_comes(server, tmp_path):
    server.codes = [503, 503, 500]
    assert fetch(server, tmp_path / "m") == [1.0, 2.0, 4.0]
    assert (tmp_path / "m").read_bytes() == CONTENT


def test_it_is_given_up_after_the_last_attempt(server, tmp_path):
    server.codes = [503] * 9
    with pytest.raises(ModelError, match=r"4 attempts without progress.*503"):
        fetch(server, tmp_path / "m")
    assert len(server.asked) == 4


def test_what_is_not_there_is_not_asked_for_again(server, tmp_path):
    server.codes = [404]
    with pytest.raises(ModelError, match="404 Not Found"):
        fetch(server, tmp_path / "m")
    assert len(server.asked) == 1


def test_another_file_is_thrown_away(server, tmp_path):
    with pytest.raises(ModelError, match=r"expected sha256 000000000000….*deleted"):
        fetch(server, tmp_path / "m", sha256="0" * 64)
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"] or not list(tmp_path.iterdir())


def test_a_part_that_was_whole_already_is_taken(server, tmp_path):
    (tmp_path / f".m.{HASH[:12]}.part").write_bytes(CONTENT)
    fetch(server, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == CONTENT
    assert server.sent == 0


def test_two_at_once_fetch_it_once(server, tmp_path):
    threads = [threading.Thread(target=fetch, args=(server, tmp_path / "m")) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "m").read_bytes() == CONTENT
    assert server.sent == len(CONTENT)


def test_no_server_at_all(tmp_path):
    waits: list[float] = []
    with pytest.raises(ModelError, match="2 attempts"):
        download(Source("http://127.0.0.1:9/m", HASH), tmp_path / "m", Retry(tries=2), sleep=waits.append)


INDEX = json.dumps({"models": {"base": {"url": "files/base.crowdscale", "sha256": HASH.upper()}}})


def test_addresses_of_an_index_are_relative_to_it(tmp_path):
    source = read_index(INDEX, "base", "https://example.org/models/index.json")
    assert source == Source("https://example.org/models/files/base.crowdscale", HASH)
    (tmp_path / "index.json").write_text(INDEX.replace("files/", "https://example.org/"))
    assert find_source(str(tmp_path / "index.json"), "base").url == "https://example.org/base.crowdscale"


@pytest.mark.parametrize(
    ("text", "name", "error", "said"),
    [
        (INDEX, "huge", OptionError, "There is only base"),
        ("{}", "base", ModelError, "expected an index"),
        ("[1]", "base", ModelError, "expected an index"),
        ('{"models": {"base": {"url": "a"}}}', "base", ModelError, "expected an index"),
        (INDEX.replace(HASH.upper(), "abc"), "base", OptionError, "64 hexadecimal digits"),
        (INDEX.replace("files/", "ftp://x/"), "base", OptionError, "https://"),
    ],
    ids=["another name", "nothing", "a list", "no sha256", "a short sha256", "ftp"],
)
def test_what_is_no_index_is_said(text, name, error, said):
    with pytest.raises(error, match=said):
        read_index(text, name, "https://example.org/index.json")


def test_paths_of_an_index_are_relative_to_it(tmp_path):
    folder = tmp_path / "shared models"  # a space, which an address spells otherwise
    (folder / "files").mkdir(parents=True)
    (folder / "index.json").write_text(INDEX)
    (folder / "files" / "base.crowdscale").write_bytes(CONTENT)
    source = find_source(str(folder / "index.json"), "base")
    assert download(source, tmp_path / "m").read_bytes() == CONTENT
    (folder / "files" / "base.crowdscale").unlink()
    waits: list[float] = []
    with pytest.raises(ModelError, match="No such file"):
        download(source, tmp_path / "n", sleep=waits.append)
    assert not waits
    assert not list(tmp_path.glob("*.part"))


def test_a_missing_index_is_said(tmp_path):
    with pytest.raises(ModelError, match="expected an index of models"):
        find_source(str(tmp_path / "none.json"), "base")


def test_an_index_of_the_web_names_no_file_of_this_machine():
    text = json.dumps({"models": {"m": {"url": "file:///etc/hostname", "sha256": HASH}}})
    with pytest.raises(ModelError, match="names a file of this machine"):
        read_index(text, "m", "https://example.org/index.json")
    assert read_index(text, "m", "/models/index.json").url == "file:///etc/hostname"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
def test_devices_are_no_models_and_no_index(tmp_path):
    with pytest.raises(ModelError, match="no regular file"):
        download(Source("file:///dev/zero", HASH), tmp_path / "m")
    with pytest.raises(ModelError, match="no regular file"):
        find_source("/dev/zero", "m")


def test_a_body_longer_than_a_model_is_refused_and_removed(server, tmp_path, monkeypatch):
    monkeypatch.setattr("crowdscale.models.download.LARGEST_MODEL", len(CONTENT) - 1)
    with pytest.raises(ModelError, match="expected a model of at most"):
        fetch(server, tmp_path / "m")
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == []


@pytest.mark.parametrize("length", ["-1", "many", "9" * 30])
def test_a_length_that_is_no_number_is_left_out_of_account(server, tmp_path, length):
    server.length = length
    fetch(server, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == CONTENT
