"""``crowdscale models``: a model packed, served, fetched, counted with; its card; as a user types it."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crowdscale.files.images import write_image
from crowdscale.points import Points
from tests.support.commands import crowdscale
from tests.support.fakes import label_photo


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """Run a command with a cache folder of its own."""

    def run(*arguments, cache=tmp_path / "cache"):
        monkeypatch.setenv("CROWDSCALE_CACHE", str(cache))
        return crowdscale(*arguments)

    return run


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def site(tmp_path, label_model, cached):
    """(address, folder) of a server with a packed model and its index."""
    folder = tmp_path / "site"
    folder.mkdir()
    done = cached("models", "pack", label_model, folder / "tiny.crowdscale", cache=tmp_path / "c0")
    assert done.returncode == 0, done.stderr
    digest = hashlib.sha256((folder / "tiny.crowdscale").read_bytes()).hexdigest()
    assert done.stdout.split()[0] == digest
    (folder / "index.json").write_text(
        json.dumps({"models": {"tiny": {"url": "tiny.crowdscale", "sha256": digest}}})
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", folder
        server.shutdown()


def test_a_fetched_model_counts(site, cached, tmp_path):
    address, _ = site
    done = cached("models", "fetch", "tiny", "--from", f"{address}/index.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--model tiny" in done.stdout
    assert " tiny " in cached("models").stdout
    write_image(tmp_path / "few.png", label_photo(Points([[30, 30], [200, 40]]), 240, 200))
    done = cached("count", tmp_path / "few.png", "--model", "tiny")
    assert (done.returncode, done.stdout.split()[0]) == (0, "2")


@pytest.mark.parametrize("origin", ["index.json", "tiny.crowdscale"])
def test_a_model_comes_from_a_shared_folder_too(site, cached, origin):
    _, folder = site
    digest = hashlib.sha256((folder / "tiny.crowdscale").read_bytes()).hexdigest()
    check = [] if origin == "index.json" else ["--sha256", digest]
    done = cached("models", "fetch", "tiny", "--from", folder / origin, *check)
    assert (done.returncode, done.stderr) == (0, "")
    assert " tiny " in cached("models").stdout
    (folder / "tiny.crowdscale").write_bytes(b"another file")
    done = cached("models", "fetch", "other", "--from", folder / "tiny.crowdscale", *check)
    assert done.returncode == 2
    assert ("another file" if check else "64 hexadecimal") in done.stderr


def test_a_wrong_hash_leaves_nothing_behind(site, cached, tmp_path):
    address, _ = site
    cache = tmp_path / "cache"
    done = cached("models", "fetch", "tiny", "--from", f"{address}/tiny.crowdscale", "--sha256", "0" * 64)
    assert done.returncode == 2
    assert "another file" in done.stderr
    assert not list(cache.rglob("*.crowdscale"))
    done = cached("count", "x.jpg", "--model", "tiny")
    assert "models fetch" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fetch", "lite", "--from", "http://127.0.0.1:9/i.json"], "lite comes with the package"),
        (["fetch", "a/b", "--from", "http://127.0.0.1:9/i.json"], "plain name without"),
        (["fetch", "big", "--from", "http://127.0.0.1:9/big.crowdscale"], "64 hexadecimal"),
        (["fetch", "big", "--from", "none.json"], "index of models"),
        (["pack", "lite", "x.zip"], "ends with .crowdscale"),
    ],
    ids=["a bundled name", "a path", "no sha256", "no index", "another suffix"],
)
def test_what_cannot_be_done_is_said(arguments, said, cached, bundled):
    done = cached("models", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_notes_are_kept_and_on_the_card(label_model, cached, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(label_model, folder)
    done = cached("models", "note", folder, "--limit", "Reads grey values alone.", "--seconds", "0.1 s")
    assert (done.returncode, done.stderr) == (0, "")
    card = (folder / "MODEL_CARD.md").read_text()
    assert "- Reads grey values alone." in card
    assert cached("models", "show", folder).stdout == card
    (folder / "MODEL_CARD.md").unlink()
    assert cached("models", "card", folder).returncode == 0
    assert (folder / "MODEL_CARD.md").read_text() == card
