"""Damaged requests of the service and damaged answers of servers, for ``benchmarks.hostile``."""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import socket
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from crowdscale.files.web import fetch
from crowdscale.models.download import Retry, Source, download, find_source
from crowdscale.models.finding import BUNDLED, find_model
from crowdscale.zones import delivery
from crowdscale.zones.alarms import AlarmEvent
from tests.hostile.media import PICTURES
from tests.hostile.seeds import INDEX, ZONES

__all__ = ["answers"]

Reader = Callable[[Path], object]

BOUNDARY = b"----limit"
HEADS = {"heads": [[5, 6], [20.5, 8]], "ignore": [[1, 1, 9, 9]], "only": []}
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"


def answers() -> Iterator[tuple[str, str, bytes | Callable[[], bytes], Reader]]:
    """Yield (name, file, sound content, reader)."""
    photo = PICTURES["png"]
    yield "body count", "body", photo, functools.partial(post, "/count")
    yield "body batch", "body", form(("photos", "a.png", photo), ("photos", "b.jpg", PICTURES["jpeg-exif"])), functools.partial(post, "/count/batch")  # fmt: skip
    yield "body zones", "body", ZONES["own"][1].encode(), functools.partial(post, "/zones/check")
    correction = form(("photo", "a.png", photo), ("correction", "", json.dumps(HEADS).encode()))
    yield "body correction", "body", correction, functools.partial(post, "/corrections")
    heads = {"photos": [{"name": "a.png", "size": [32, 24], "heads": [[5, 6], [20.5, 8]]}]}
    yield "body annotations", "body", json.dumps(heads).encode(), functools.partial(post, "/annotations?format=coco")  # fmt: skip
    yield "body audit", "body", audit_record, functools.partial(post, "/audit/state")
    for name, read in (("webhook", ring), ("photo", fetch_photo), ("model", fetch_model)):
        yield f"answer {name}", "answer", ANSWER % len(photo) + photo, read
    yield "answer index", "answer", ANSWER % len(INDEX) + INDEX.encode(), fetch_index
    yield "model file", "m.crowdscale", packed_model(), find_packed


@functools.cache
def audit_record() -> bytes:
    """Return the record of an audit of a drawn crowd, with one answer."""
    crowd = Path(__file__).parents[1] / "examples" / "auditorium.jpg"
    stream = BytesIO()
    Image.open(crowd).resize((320, 200)).save(stream, "PNG")
    with tempfile.TemporaryDirectory() as folder:
        answer = client(folder).post("/audit/start", files=[("photos", ("a.png", stream.getvalue()))])
    state = answer.json()
    left, top, *_ = state["next"]["box"]
    given = {"cell": state["next"]["cell"], "count": 1, "heads": [[left + 1, top + 1]], "by": "Ann", "at": ""}
    state["record"]["answers"].append(given)
    return json.dumps(state["record"]).encode()


def form(*parts: tuple[str, str, bytes]) -> bytes:
    """Return a body of several fields; those with a file's name are files."""
    whole = b""
    for field, file, content in parts:
        name = f'; filename="{file}"' if file else ""
        head = f'Content-Disposition: form-data; name="{field}"{name}\r\n\r\n'.encode()
        whole += b"--" + BOUNDARY + b"\r\n" + head + content + b"\r\n"
    return whole + b"--" + BOUNDARY + b"--\r\n"


@functools.cache
def client(folder: str) -> Any:
    """Return a client of the service in this process."""
    from fastapi.testclient import TestClient

    from crowdscale.serve.app import create_app
    from crowdscale.serve.counter import Counter
    from crowdscale.serve.options import ServeOptions

    options = ServeOptions(corrections=Path(folder), max_pixels=100_000)
    app = create_app(Counter.open("nano", options.max_pixels, threads=1), options)
    made = TestClient(app, base_url="http://127.0.0.1")
    made.__enter__()
    return made


def post(address: str, path: Path) -> object:
    """Send a file as a body; a server's fault raises."""
    forms = address in ("/count/batch", "/corrections")
    kind = f"multipart/form-data; boundary={BOUNDARY.decode()}" if forms else "application/json"
    saved = path.parent / "saved"
    saved.mkdir(exist_ok=True)
    answer = client(str(saved)).post(address, content=path.read_bytes(), headers={"content-type": kind})
    shutil.rmtree(saved, ignore_errors=True)
    if answer.status_code >= 500:
        raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
    if answer.status_code >= 400:
        from crowdscale.errors import DataError

        assert answer.json().keys() & {"error", "detail"}
        raise DataError(answer.text)
    return answer.text


class Server:
    """Answers each connection with the same bytes, and closes it."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.answer = b""
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        """Of the server."""
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}/a"

    def _serve(self) -> None:
        while True:
            with contextlib.suppress(OSError), self.socket.accept()[0] as connection:
                connection.settimeout(1)
                connection.recv(65536)
                connection.sendall(self.answer)


@functools.cache
def server() -> Server:
    """Return the server of this process."""
    return Server()


def answering(path: Path) -> str:
    """Answer with a file's bytes; return the address."""
    server().answer = path.read_bytes()
    return server().address


def ring(path: Path) -> object:
    """Deliver an alarm to a server with this answer; a failure is a sentence of its problems."""
    delivery.ATTEMPTS = 1
    problems: list[str] = []
    receiver = delivery.Receiver(answering(path), None, (), problems.append)
    for _ in range(2):
        receiver.send(AlarmEvent("gate", "raised", 12.0, 1.0, 10.0))
    receiver.finish()
    receiver.join(20)
    assert not any("in time" in each or "Error (" in each for each in problems), problems
    return problems


def fetch_photo(path: Path) -> object:
    """Fetch a photo."""
    return fetch(answering(path))


def fetch_index(path: Path) -> object:
    """Read an index of models."""
    return find_source(answering(path), "lite")


def fetch_model(path: Path) -> object:
    """Fetch a model's file of another sha256, which is always refused."""
    source = Source(answering(path), "0" * 64)
    return download(source, path.parent / "m.crowdscale", Retry(tries=1), sleep=lambda _: None)


@functools.cache
def packed_model() -> bytes:
    """Return a packed model of a description and small stand-ins of its files."""
    stream = BytesIO()
    folder = BUNDLED["nano"]
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("model.json", (folder / "model.json").read_bytes())
        for name in json.loads((folder / "model.json").read_text())["files"]:
            archive.writestr(name, b"0" * 50)
    return stream.getvalue()


def find_packed(path: Path) -> object:
    """Unpack a model and read its description."""
    import os

    from crowdscale.models.description import read_config

    cache = path.parent / "cache"
    os.environ["CROWDSCALE_CACHE"] = str(cache)
    try:
        return read_config(find_model(str(path)))
    finally:
        shutil.rmtree(cache, ignore_errors=True)
