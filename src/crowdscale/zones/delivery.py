"""Delivery of alarm events to a webhook or a command, on a thread that outlives every odd answer."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict
from http.client import HTTPConnection, HTTPSConnection
from queue import Full, Queue
from time import sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from crowdscale.errors import DataError, without_password

if TYPE_CHECKING:
    from typing import Self

    from crowdscale.zones.alarms import AlarmEvent

__all__ = ["Receiver", "check_key"]

ATTEMPTS = 5
FIRST_WAIT = 0.5
"""Seconds before the second attempt; each further one waits twice as long."""
ANSWER_WITHIN = 5.0
"""Seconds of silence after which a webhook is given up."""
WHOLE_WITHIN = 10.0
"""Seconds in which the whole answer has to come: drips and endless 1xx answers would hold a connection for ever."""
COMMAND_WITHIN = 60.0
WAITING = 100
"""Events that wait for one receiver at most: counting never waits for a slow one."""


def check_key(zone: str, variable: str | None) -> None:
    """Refuse an alarm whose key is missing before it is needed. Raises DataError."""
    if variable and not os.environ.get(variable):
        raise DataError(
            f"expected the key of {zone}'s webhook in the environment variable {variable}", "none"
        )


class Receiver:
    """One webhook or one command, with a queue and a thread of its own.

    Args:
        webhook: An http or https address; None for a command.
        secret_env: Environment variable with the key that signs the body.
        command: A program and its arguments.
        on_problem: Called with a sentence for each event that cannot be delivered.
    """

    def __init__(
        self,
        webhook: str | None,
        secret_env: str | None,
        command: tuple[str, ...],
        on_problem: Callable[[str], object],
    ) -> None:
        self.webhook, self.secret_env, self.command = webhook, secret_env, command
        self.on_problem = on_problem
        self._queue: Queue[AlarmEvent | None] = Queue(WAITING)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._deliver_all, daemon=True)
        self._thread.start()

    @property
    def shown(self) -> str:
        """The receiver in a sentence: a webhook's path may hold a key, so only its host is shown."""
        if self.webhook is None:
            return f"the command {self.command[0]}"
        return f"{urlparse(self.webhook).scheme}://{urlparse(self.webhook).hostname}"

    def send(self, event: AlarmEvent) -> None:
        """Queue an event; one for which there is no room is a problem."""
        try:
            self._queue.put_nowait(event)
        except Full:
            self._failed(event, f"{WAITING} events waiting for {self.shown}")

    def finish(self) -> None:
        """Let the thread end after the events that wait."""
        self._ended.set()
        try:
            self._queue.put_nowait(None)
        except Full:
            return  # the thread sees the mark once the queue is empty

    def join(self, timeout: float) -> None:
        """Wait for the thread; events left after that are a problem."""
        self._thread.join(timeout)
        if self._thread.is_alive():
            self.on_problem(
                f"expected all alarms to be delivered, but got no answer from {self.shown} in time."
            )

    def _failed(self, event: AlarmEvent, why: str) -> None:
        self.on_problem(f"expected the alarm of {event.zone} to be delivered, but got {why}.")

    def _deliver_all(self) -> None:
        while not (self._ended.is_set() and self._queue.empty()):
            event = self._queue.get()
            if event is None:
                return
            try:
                problem = self._deliver(event)
            except Exception as error:  # whatever one answer raises, the next event is delivered
                problem = f"{type(error).__name__} ({error}) from {self.shown}"
            if problem:
                self._failed(event, self._private(problem))

    def _deliver(self, event: AlarmEvent) -> str:
        """Deliver an event; return the fault, or nothing."""
        body = json.dumps({"source": "crowdscale", **asdict(event)}).encode()
        return self._post(body) if self.webhook is not None else self._run(body)

    def _private(self, text: str) -> str:
        """Return a text without the webhook's path, which may hold a key."""
        return without_password(text.replace(self.webhook, self.shown) if self.webhook else text)

    def _post(self, body: bytes) -> str:
        """Send a body, several times if need be."""
        headers = {"Content-Type": "application/json", "User-Agent": "crowdscale"}
        if self.secret_env:
            key = os.environ.get(self.secret_env)
            if not key:
                return f"no key in the environment variable {self.secret_env}"
            signature = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Crowdscale-Signature"] = f"sha256={signature}"
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                sleep(FIRST_WAIT * 2 ** (attempt - 1))
            request = urllib.request.Request(str(self.webhook), body, headers, method="POST")
            try:
                with _Deadline(WHOLE_WITHIN) as deadline:
                    deadline.open(request)
                return ""
            except Exception as error:  # http.client, ssl and codecs raise their own classes
                reason = " ".join(str(error).split()) or type(error).__name__
                problem = f"{reason} from {self.shown} in {attempt + 1} attempts"
                if _is_refusal(error):
                    return problem  # the receiver understood, and refuses: it would again
        return problem

    def _run(self, body: bytes) -> str:
        """Run the command with a body on its input."""
        try:
            done = subprocess.run(
                self.command, input=body, capture_output=True, timeout=COMMAND_WITHIN, check=False
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return f"{error} from {self.shown}"
        return "" if done.returncode == 0 else f"exit code {done.returncode} from {self.shown}"


def _is_refusal(error: Exception) -> bool:
    return (
        isinstance(error, urllib.error.HTTPError) and 400 <= error.code < 500 and error.code not in (408, 429)
    )


class _Deadline:
    """Sends one request and shuts its connection down where the whole answer takes too long.

    Args:
        seconds: From the beginning to the end.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.passed = seconds, False
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)

    def __enter__(self) -> Self:
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self.passed:  # whatever the shut connection raised, or a body that it cut
            raise TimeoutError(f"no whole answer within {self.seconds:g} seconds")

    def open(self, request: urllib.request.Request) -> None:
        """Send the request and read the beginning of its answer. Raises what urllib does, and TimeoutError."""
        opener = urllib.request.build_opener(
            _NoRedirect, _Watched(self._connected), _WatchedTls(self._connected)
        )
        with opener.open(request, timeout=ANSWER_WITHIN) as answer:
            answer.read(1024)

    def _connected(self, connection: socket.socket) -> None:
        self._sockets.append(connection)
        if self.passed:
            self._end()

    def _end(self) -> None:
        self.passed = True
        for connection in self._sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _watching(kind: type[HTTPConnection], connected: Callable[[socket.socket], None]) -> Any:
    """Return a class of connections that hand on their socket as soon as there is one."""

    class Connection(kind):  # type: ignore[valid-type,misc]
        def connect(self) -> None:
            create = self._create_connection  # type: ignore[has-type]

            def creating(*arguments: Any, **named: Any) -> socket.socket:
                made: socket.socket = create(*arguments, **named)
                connected(made)
                return made

            self._create_connection = creating  # before TLS begins, which may drip as well
            super().connect()
            connected(self.sock)

    return Connection


class _Watched(urllib.request.HTTPHandler):
    def __init__(self, connected: Callable[[socket.socket], None]) -> None:
        super().__init__()
        self._kind = _watching(HTTPConnection, connected)

    def http_open(self, req: urllib.request.Request) -> Any:
        """Open a watched connection."""
        return self.do_open(self._kind, req)


class _WatchedTls(urllib.request.HTTPSHandler):
    def __init__(self, connected: Callable[[socket.socket], None]) -> None:
        super().__init__()
        self._kind = _watching(HTTPSConnection, connected)

    def https_open(self, req: urllib.request.Request) -> Any:
        """Open a watched connection."""
        return self.do_open(self._kind, req)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a body signed for one address is sent to no other."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse."""
