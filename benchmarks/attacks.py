"""Hostile clients of the local service: its memory, its answers, and whether a polite client is still served.

Run: python benchmarks/attacks.py --model nano --photo examples/auditorium.jpg. Starts `crowdscale serve` on a free port of this
machine. Each attack prints what the attacker got, how long it took, the memory of the service, and the time in which
the service answers somebody else meanwhile.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

CHUNK = 1 << 20
HEAD = "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
FORM = "Content-Type: multipart/form-data; boundary=b\r\n"
PART = b'--b\r\nContent-Disposition: form-data; name="photos"; filename="a.jpg"\r\n\r\n'


class Service:
    """A service in a process of its own, and what it holds."""

    def __init__(self, model: str) -> None:
        words = ["serve", "--model", model, "--port", "0", "--no-browser", "--threads", "1"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "crowdscale", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        address = next(word for word in self.process.stdout.readline().split() if word.startswith("http"))
        self.port = int(address.rstrip("/").rsplit(":", 1)[1])
        self.most = self.memory
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            self.most = max(self.most, self.memory)

    @property
    def memory(self) -> float:
        """Megabytes that the process holds."""
        return self._status("VmRSS") / 1024

    @property
    def seconds(self) -> float:
        """Processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    @property
    def files(self) -> int:
        """Open files and connections."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))

    def connect(self) -> socket.socket:
        """Return a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=180)

    def head(self, path: str, headers: str = "") -> bytes:
        """Return the beginning of a request."""
        return HEAD.format(path=path, port=self.port, headers=headers).encode()

    def asked(self, path: str, body: bytes | None = None) -> str:
        """Return the status, and the seconds, that a polite client gets."""
        started = time.perf_counter()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", body, timeout=180) as answer:
                answer.read()
                status = str(answer.status)
        except urllib.error.HTTPError as error:
            status = f"{error.code}"
        return f"{status} in {time.perf_counter() - started:.2f} s"

    def end(self) -> None:
        """Stop it and print how it ended, with what it complained of."""
        self._ended.set()
        self.process.terminate()
        _, errors = self.process.communicate(timeout=180)
        lines = Counter(errors.splitlines())
        print(
            f"ended with {self.process.returncode}; {sum(lines.values())} lines on stderr, of {len(lines)} kinds"
        )
        for line, times in lines.most_common(5):
            print(f"  {times} × {line[:150]}")


def answer(connection: socket.socket) -> str:
    """Return the first line of what came back, or how the connection ended."""
    try:
        data = connection.recv(4096)
    except TimeoutError:
        return "no answer in time"
    except OSError as error:
        return f"closed ({error.strerror})"
    return data.split(b"\r\n", 1)[0].decode("latin-1") if data else "closed"


def stream(service: Service, path: str, size: int, headers: str, first: bytes = b"") -> str:
    """Send a body of ``size`` bytes in chunks, whatever comes back."""
    block = bytes(CHUNK)
    frame = b"%x\r\n" % CHUNK + block + b"\r\n"
    with closing(service.connect()) as connection:
        connection.sendall(service.head(path, CHUNKED + headers))
        if first:
            connection.sendall(b"%x\r\n" % len(first) + first + b"\r\n")
        sent = 0
        try:
            while sent < size:
                connection.sendall(frame)
                sent += CHUNK
            connection.sendall(b"0\r\n\r\n")
        except OSError:
            pass
        return f"{sent / 1e6:.0f} of {size / 1e6:.0f} MB sent, answer: {answer(connection)}"


def lie(service: Service, stated: str, body: bytes, more: str = "") -> str:
    """Send a body of another length than stated."""
    with closing(service.connect()) as connection:
        with suppress(OSError):
            connection.sendall(service.head("/count", f"Content-Length: {stated}\r\n{more}") + body)
        return answer(connection)


def idle(service: Service, number: int, wait: float) -> str:
    """Open connections that send nothing; return how many are still open after a while."""
    opened = [service.connect() for _ in range(number)]
    inside = service.asked("/health")
    ended = time.monotonic() + wait
    closed = 0
    for connection in opened:
        connection.settimeout(max(0.01, ended - time.monotonic()))
        closed += answer(connection).startswith("closed")
    files = service.files
    for connection in opened:
        connection.close()
    return f"/health meanwhile {inside}; {closed} of {number} closed by the service after {wait:g} s, {files} files open then"


def drip(service: Service, start: bytes, drop: bytes, most: float) -> str:
    """Send a byte now and again; return after how long it ends, and how."""
    with closing(service.connect()) as connection:
        connection.sendall(start)
        begun = time.monotonic()
        connection.settimeout(0.5)
        while time.monotonic() - begun < most:
            try:
                connection.sendall(drop)
                data = connection.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                data = b""
            first = data.split(b"\r\n", 1)[0].decode("latin-1") or "closed"
            return f"{first} after {time.monotonic() - begun:.0f} s"
        return f"still open after {most:g} s"


def leave(service: Service, photo: bytes, number: int) -> str:
    """Send photos and leave at once; return what they cost in processor time."""
    started, wall = service.seconds, time.monotonic()
    for _ in range(number):
        with closing(service.connect()) as connection:
            connection.sendall(service.head("/count", f"Content-Length: {len(photo)}\r\n") + photo)
            time.sleep(0.05)
    while (
        '"queue":0' not in urllib.request.urlopen(f"http://127.0.0.1:{service.port}/health").read().decode()
    ):
        time.sleep(0.05)
    cost = service.seconds - started
    return f"{number} photos sent and left: {cost:.1f} s of processor time, queue empty after {time.monotonic() - wall:.1f} s"


def deaf(service: Service, photo: bytes, number: int) -> str:
    """Ask for much and never read the answers."""
    opened = [service.connect() for _ in range(number)]
    request = f"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\n\r\n".encode()
    for connection in opened:
        connection.settimeout(1)
        try:
            for _ in range(400):
                connection.sendall(request)
        except OSError:
            continue
    inside = service.asked("/count", photo)
    for connection in opened:
        connection.close()
    return f"{number} clients asked 400 times and read nothing; /count meanwhile {inside}"


def together(service: Service, number: int, size: int) -> str:
    """Send many large bodies at once, each but for its last byte; return what came back."""
    answers: Counter[str] = Counter()

    def send() -> None:
        with closing(service.connect()) as connection:
            connection.sendall(service.head("/count", f"Content-Length: {size}\r\n"))
            with suppress(OSError):
                connection.sendall(bytes(size - 1))
            answers[answer(connection)] += 1

    threads = [threading.Thread(target=send) for _ in range(number)]
    for thread in threads:
        thread.start()
    time.sleep(20)
    inside = service.asked("/health")
    for thread in threads:
        thread.join()
    return f"{dict(answers)}; /health meanwhile {inside}"


@contextmanager
def told(service: Service, name: str) -> Iterator[Callable[[str], None]]:
    """Print a line for an attack: what came of it, memory before, at most and after, and a polite client's answer."""
    before, begun = service.memory, time.monotonic()
    service.most = before
    lines: list[str] = []
    yield lines.append
    seconds = time.monotonic() - begun
    after = service.asked("/health")
    print(
        f"{name}: {'; '.join(lines)}. {seconds:.1f} s. Memory {before:.0f} → {service.most:.0f} (most) → {service.memory:.0f} MB. /health {after}",
        flush=True,
    )


def main() -> None:
    """Attack a service."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="nano")
    parser.add_argument("--photo", type=Path, default=Path("examples/auditorium.jpg"))
    parser.add_argument("--gigabytes", type=float, default=3)
    parser.add_argument("--idle", type=int, default=500)
    parser.add_argument(
        "--wait", type=float, default=70, help="seconds that dripping and idle clients have patience"
    )
    chosen = parser.parse_args()
    photo, size = chosen.photo.read_bytes(), int(chosen.gigabytes * 1e9)
    service = Service(chosen.model)
    print(f"a polite count: {service.asked('/count', photo)}, {service.memory:.0f} MB", flush=True)
    with told(service, "chunked body to /count") as tell:
        tell(stream(service, "/count", size, ""))
    with told(service, "chunked form to /count/batch") as tell:
        tell(stream(service, "/count/batch", size, FORM, PART))
    with told(service, "chunked body to /audit/start") as tell:
        tell(stream(service, "/audit/start", size, ""))
    with told(service, "lying lengths") as tell:
        for stated, body, more in [
            ("10", bytes(10_000_000), ""), ("3000000000", photo, ""), ("-1", b"x", ""), ("1e9", b"x", ""),
            ("5", b"x" * 5, "Content-Length: 6\r\n"), ("5", b"0\r\n\r\n", CHUNKED), ("9" * 4000, b"x", ""),
        ]:  # fmt: skip
            tell(f"{stated[:12]}{' and another' if more else ''}: {lie(service, stated, body, more)}")
    with told(service, "idle") as tell:
        tell(idle(service, chosen.idle, chosen.wait))
    with told(service, "dripped headers") as tell:
        tell(drip(service, b"POST /count HTTP/1.1\r\nX: ", b"x", chosen.wait))
    with told(service, "dripped body") as tell:
        tell(drip(service, service.head("/count", "Content-Length: 1000000\r\n"), b"x", chosen.wait))
    with told(service, "stated and not sent") as tell:
        tell(
            drip(
                service,
                service.head("/count", f"Content-Length: {len(photo)}\r\n") + photo[:-1],
                b"",
                chosen.wait,
            )
        )
    with told(service, "60 bodies of 45 MB without their last byte") as tell:
        tell(together(service, 60, 45_000_000))
    with told(service, "cancelled") as tell:
        tell(leave(service, photo, 50))
    with told(service, "deaf") as tell:
        tell(deaf(service, photo, 50))
    print(
        f"a polite count: {service.asked('/count', photo)}, {service.memory:.0f} MB, {service.files} files open"
    )
    service.end()


if __name__ == "__main__":
    main()
