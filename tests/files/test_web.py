"""Photos of the web: http and https alone, bounded, and no secret in any error."""

from __future__ import annotations

import base64
import threading

import pytest

from crowdscale.errors import ImageError
from crowdscale.files.storage import find_photos
from crowdscale.files.web import fetch
from tests.support.web import body, redirect, web_server


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_a_body_comes_whole_over_redirects_and_odd_paths():
    pages = {"/a.jpg": redirect("/b%20%C3%A9.jpg"), "/b%20%C3%A9.jpg": body(b"photo")}
    with web_server(pages) as address:
        assert fetch(f"{address}/a.jpg") == b"photo"
        assert fetch(f"{address}/b é.jpg?size=1#2") == b"photo"


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/a.jpg", "gopher://x/a"])
def test_a_redirect_to_another_kind_of_address_is_refused(to):
    with (
        web_server({"/a.jpg": redirect(to)}) as address,
        pytest.raises(ImageError, match=r"another kind of address|is not allowed"),
    ):
        fetch(f"{address}/a.jpg")


@pytest.mark.parametrize("source", ["file:///etc/passwd", "ftp://127.0.0.1/a.jpg", "data:image/png,x"])
def test_another_kind_of_address_is_refused(source):
    with pytest.raises(ImageError, match="begins with https:// or http://"):
        fetch(source)


def test_redirects_end():
    with web_server({"/a.jpg": redirect("/a.jpg")}) as address, pytest.raises(ImageError, match="302"):
        fetch(f"{address}/a.jpg")


@pytest.mark.parametrize(
    ("status", "said"), [(404, "no such photo: http"), (410, "no such photo"), (403, "403"), (500, "500")]
)
def test_a_refusal_is_one_sentence(status, said):
    with web_server({"/a.jpg": body(b"no", status)}) as address, pytest.raises(ImageError, match=said):
        fetch(f"{address}/a.jpg")


def test_a_body_beyond_the_limit_is_not_read(monkeypatch):
    monkeypatch.setattr("crowdscale.files.web.MOST_BYTES", 10_000)

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(1000))

    pages = {"/stated.jpg": body(bytes(10_001)), "/endless.jpg": endless, "/small.jpg": body(bytes(10_000))}
    with web_server(pages) as address:
        assert len(fetch(f"{address}/small.jpg")) == 10_000
        for name in ("stated", "endless"):
            with pytest.raises(ImageError, match=r"at most 0\.01 MB at a web address"):
                fetch(f"{address}/{name}.jpg")


def test_a_silent_and_a_dripping_server_are_given_up(monkeypatch):
    monkeypatch.setattr("crowdscale.files.web.WHOLE", 0.5)
    stop = threading.Event()

    def silent(_):
        stop.wait(20)

    def dripping(handler):
        handler.send_response(200)
        handler.end_headers()
        while not stop.wait(0.02):
            handler.wfile.write(b"x")

    with web_server({"/silent.jpg": silent, "/drip.jpg": dripping}) as address:
        for name in ("silent", "drip"):
            with pytest.raises(ImageError, match=r"not complete after 0\.5 seconds"):
                fetch(f"{address}/{name}.jpg")
        stop.set()


def test_a_short_body_is_no_photo():
    def short(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")

    with web_server({"/a.jpg": short}) as address, pytest.raises(ImageError, match="after 4 bytes"):
        fetch(f"{address}/a.jpg")


def test_a_password_goes_to_its_host_and_into_no_error():
    seen = []

    def note(handler):
        seen.append(handler.headers.get("Authorization"))
        body(b"photo")(handler)

    with (
        web_server({"/b.jpg": note}) as other,
        web_server({"/a.jpg": note, "/far.jpg": redirect(f"{other}/b.jpg")}) as address,
    ):
        secret = address.replace("http://", "http://user:S3c%21ret@")
        assert fetch(f"{secret}/a.jpg") == fetch(f"{secret}/far.jpg") == b"photo"
        assert seen == ["Basic " + base64.b64encode(b"user:S3c!ret").decode(), None]
        for wrong in (f"{secret}/none.jpg?token=T0ken", "http://user:S3c%21ret@127.0.0.1:9/a.jpg?key=T0ken"):
            with pytest.raises(ImageError) as caught:
                fetch(wrong)
            assert "S3c" not in str(caught.value)
            assert "T0ken" not in str(caught.value)


def test_a_named_photo_of_the_web_needs_no_library(monkeypatch):
    monkeypatch.setattr("crowdscale.files.storage._open", lambda _: pytest.fail("a library was asked"))
    assert list(find_photos(["https://host/a.JPG?x=1"])) == ["https://host/a.JPG?x=1"]
