"""A photo of a web address: http and https alone, bounded in size, time and redirects, without secrets in errors."""

from __future__ import annotations

import base64
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from crowdscale.errors import CrowdscaleError, ImageError

__all__ = ["fetch"]

WEB = ("http://", "https://")
MOST_BYTES = 500_000_000
"""Bytes of a body that are read."""
SILENT = 15.0
"""Seconds after which a server that sends nothing is given up."""
WHOLE = 120.0
"""Seconds in which the whole body has to come."""
REDIRECTS = 5
PIECE = 2**18
SAFE = "/%:@!$&'()*+,;=~?[]"
"""Signs of a path that stay: a space or an umlaut is encoded, what is encoded already is not again."""
GONE = (404, 410)


def fetch(address: str) -> bytes:
    """Return the body at a web address.

    User and password in the address are sent to its host alone.

    Raises:
        ImageError: It is missing, refused, too large, too slow, or another kind of address.
    """
    if not address.lower().startswith(WEB):
        raise ImageError("expected an address that begins with https:// or http://", address)
    try:
        return _within(WHOLE, lambda: _read(address))
    except CrowdscaleError:
        raise
    except urllib.error.HTTPError as error:
        if error.code in GONE:
            raise ImageError.plain(f"no such photo: {address}") from None
        raise _unread(address, f"{error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise _unread(address, getattr(error, "reason", error)) from None


def _unread(address: str, why: object) -> ImageError:
    reason = " ".join(str(why).split()) or type(why).__name__
    return ImageError.plain(f"{address} cannot be fetched ({reason})", "Check the address and the network")


def _within(seconds: float, work: Callable[[], bytes]) -> bytes:
    """Return the result of work in a thread of its own: name servers and headers have no time limit themselves."""
    answers: queue.Queue[bytes | BaseException] = queue.Queue()

    def run() -> None:
        try:
            answers.put(work())
        except BaseException as error:  # handed to the caller
            answers.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"not complete after {seconds:g} seconds") from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _read(address: str) -> bytes:
    request = _request(address)
    whole, end = bytearray(), time.monotonic() + WHOLE
    with _opener().open(request, timeout=SILENT) as answer:
        _check(int(answer.headers.get("Content-Length") or 0), address)
        while piece := answer.read1(PIECE):
            whole += piece
            _check(len(whole), address)
            if time.monotonic() > end:
                raise TimeoutError(f"not complete after {WHOLE:g} seconds")
    if answer.length:  # what the header announced and did not come
        raise ConnectionError(f"the connection ended after {len(whole)} bytes")
    return bytes(whole)


def _check(size: int, address: str) -> None:
    if size > MOST_BYTES:
        limit = f"{MOST_BYTES / 1e6:g} MB"
        raise ImageError(
            f"expected a photo of at most {limit} at a web address", f"more at {address}", "Download it first"
        )


def _request(address: str) -> urllib.request.Request:
    """Return the request for an address, its user and password as a header of this request alone."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    if not host:
        raise ValueError("no host")
    host = host if host.isascii() else host.encode("idna").decode()
    path, query = (quote(part, safe=SAFE) for part in (parts.path, parts.query))
    plain = urlunsplit((parts.scheme, host, path, query, ""))
    request = urllib.request.Request(
        plain, headers={"User-Agent": "crowdscale", "Accept-Encoding": "identity"}
    )
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(login).decode()}")
    return request


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows few redirects, to http and https alone, and never from https to http."""

    max_redirections = REDIRECTS

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not newurl.lower().startswith(WEB):
            raise ConnectionError(f"it leads to another kind of address: {urlsplit(newurl).scheme}")
        if req.full_url.lower().startswith("https://") and not newurl.lower().startswith("https://"):
            raise ConnectionError("it leads from https to http")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Return an opener for http and https alone; that of the process would open files, too."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(), _Redirects(), urllib.request.HTTPErrorProcessor(),
    ):  # fmt: skip
        opener.add_handler(handler)
    return opener
