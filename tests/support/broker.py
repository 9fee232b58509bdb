"""A small MQTT 3.1.1 broker on loopback: it takes one client after another and keeps what they publish."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CONNECT, PUBLISH, PINGREQ, DISCONNECT = 1, 3, 12, 14


@dataclass
class Broker:
    """What came to a broker."""

    refuse: int = 0
    """The code of its answer to a client: 5 is a wrong password."""
    published: list[tuple[str, bytes, bool]] = field(default_factory=list)
    """Topic, content, whether retained."""
    logins: list[bytes] = field(default_factory=list)
    """Whole CONNECT packets, with name, password and last will."""
    connections: list[socket.socket] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, condition, seconds: float = 10.0) -> bool:
        """Wait until a condition on what was published holds."""
        with self.changed:
            return bool(self.changed.wait_for(lambda: condition(self.published), seconds))

    def serve(self, connection: socket.socket) -> None:
        """Answer one client."""
        stream = connection.makefile("rb")
        try:
            while head := stream.read(1):
                body = stream.read(_length(stream))
                if not self._answered(head[0], body, connection):
                    break
        except OSError:
            pass

    def _answered(self, head: int, body: bytes, connection: socket.socket) -> bool:
        kind = head >> 4
        with self.changed:
            if kind == CONNECT:
                self.logins.append(body)
                connection.sendall(bytes([0x20, 2, 0, self.refuse]))
            elif kind == PUBLISH:
                length = int.from_bytes(body[:2], "big")
                rest = body[2 + length :]
                if head >> 1 & 3:  # its number, which is acknowledged
                    connection.sendall(bytes([0x40, 2]) + rest[:2])
                    rest = rest[2:]
                self.published.append((body[2 : 2 + length].decode(), rest, bool(head & 1)))
            elif kind == PINGREQ:
                connection.sendall(bytes([0xD0, 0]))
            self.changed.notify_all()
        return kind != DISCONNECT


def _length(stream) -> int:
    """Return the length of a packet: seven bits a byte, the low ones first."""
    length, shift = 0, 0
    while True:
        byte = stream.read(1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return length


@contextmanager
def broker(port: int = 0, refuse: int = 0) -> Iterator[tuple[Broker, int]]:
    """Yield a broker and its port."""
    kept = Broker(refuse)
    with socket.create_server(("127.0.0.1", port)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                kept.connections.append(connection)
                threading.Thread(target=kept.serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield kept, listener.getsockname()[1]
        finally:
            for connection in kept.connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            listener.shutdown(socket.SHUT_RDWR)


if (
    __name__ == "__main__"
):  # python -m tests.support.broker PORT: prints each topic and what was published there
    with broker(int(sys.argv[1])) as (kept, _):
        seen = 0
        while True:
            kept.wait_for(lambda published, seen=seen: len(published) > seen, 60.0)
            for topic, content, _ in kept.published[seen:]:
                print(topic, content.decode("utf-8", "replace"), flush=True)
            seen = len(kept.published)
