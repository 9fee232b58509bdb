"""Faults and attacks against today's commands, in processes of their own: ``python -m benchmarks.faults``.

Each attack of issue 30 runs the command as a user would. It is held when the command ends in time with the right exit
code, without a traceback, and what it must keep is there. Printed is a line an attack; the exit code is 1 where one broke.
``--only NAME`` runs those whose name begins so.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from benchmarks.faults_web import Endless, Lying, serving
from tests.hostile.media import PICTURES, odd_exif, with_exif
from tests.support.films import grey_frame, write_packets
from tests.support.layouts import write_photo

SECONDS = 60
POWERLESS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all")


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    """What it printed, errors as well."""
    seconds: float

    def broken(self, *codes: int, says: str = "") -> str:
        """Return what is wrong: a traceback, another exit code, a sentence that is missing; empty for nothing."""
        if "Traceback" in self.out:
            return "a traceback: " + self.out.strip().splitlines()[-1][:150]
        if self.code not in codes:
            return f"exit code {self.code}: {self.out.strip()[-200:]}"
        return "" if says in self.out else f"no {says!r} in: {self.out.strip()[-300:]}"


def run(*words: object, seconds: float = SECONDS, powerless: bool = False, **settings: Any) -> Done:
    """Run ``crowdscale`` with these words; ``powerless`` as one whom closed folders stop, though it is root."""
    started = time.monotonic()
    command = [*POWERLESS * powerless, sys.executable, "-m", "crowdscale", *map(os.fspath, map(_word, words))]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False, **settings)
    except subprocess.TimeoutExpired:
        return Done(-1, f"it did not end within {seconds:g} s", seconds)
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    return Done(done.returncode, text, time.monotonic() - started)


def _word(word: object) -> str | bytes:
    return word if isinstance(word, (str, bytes)) else str(word)


def count(*words: object, **settings: Any) -> Done:
    """Count with the small model."""
    return run("count", "--model", "nano", "--threads", 1, *words, **settings)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        return list(csv.DictReader(stream))


def photos(folder: Path, *names: str) -> Path:
    """Draw small photos of these names in a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or ("a.jpg", "b.jpg"):
        write_photo(folder / name, (64, 48))
    return folder


def damaged_films(root: Path) -> str:
    """Twenty damaged films of H.264 are watched to their end."""
    for seed in range(20):
        (root / f"{seed}.ts").write_bytes(damaged_stream(root, seed))
        broken = run(
            "watch", root / f"{seed}.ts", "--model", "nano", "--every", "500ms", "--threads", 1
        ).broken(0, 1, 2)
        if broken:
            return f"film {seed}: {broken}"
    return ""


def damaged_stream(root: Path, seed: int) -> bytes:
    """Return a short film of H.264 with 3, 30 or 300 bytes changed."""
    sound = write_packets(root / "film.ts", [grey_frame(20 * number) for number in range(12)]).read_bytes()
    rng, data = random.Random(seed), bytearray(sound)
    for _ in range(rng.choice((3, 30, 300))):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def damaged_streams_that_never_end(root: Path) -> str:
    """While damaged H.264 goes on coming, SIGTERM ends the watch."""
    for seed in range(8):
        data = damaged_stream(root, seed)
        command = [sys.executable, "-m", "crowdscale", "watch", "-", "--model", "nano", "--every", "500ms"]
        with subprocess.Popen(
            command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            feeder = threading.Thread(target=_feed, args=(process, data), daemon=True)
            feeder.start()
            time.sleep(4)
            running = process.poll() is None
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                return f"film {seed}: SIGTERM does nothing for 15 s"
            feeder.join(15)
        if not running:
            return f"film {seed}: the watch ended by itself"
    return ""


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Write data again and again until the process has ended."""
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        while process.poll() is None:
            process.stdin.write(data)
            time.sleep(0.02)


def a_camera_that_stays_silent(root: Path) -> str:
    """SIGTERM ends a watch of a camera that accepts and says nothing."""
    del root
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/film.mjpg"
        command = [sys.executable, "-m", "crowdscale", "watch", address, "--model", "nano"]
        watch = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        server.settimeout(30)
        connection, _ = server.accept()
        time.sleep(1)
        watch.send_signal(signal.SIGTERM)
        try:
            _, text = watch.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            watch.kill()
            return "SIGTERM did not end it within 15 s"
        finally:
            connection.close()
    return "a traceback" if b"Traceback" in text else ""


def a_film_that_changes(root: Path) -> str:
    """Rows go on where the size of the frames, and with it the caption, changes under ``--video``."""
    parts = [
        write_packets(root / "1.ts", [grey_frame(200)] * 10),
        write_packets(root / "2.ts", [grey_frame(5, 96, 64)] * 10, start=1.0),
        write_packets(root / "3.ts", [grey_frame(250, 48, 32)] * 10, start=2.0),
    ]
    (root / "film.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    watched = run("watch", root / "film.ts", "--model", "nano", "--every", "500ms", "--threads", 1,
                  "--video", root / "o.mp4", "--rows", root / "r.csv")  # fmt: skip
    rows = len(rows_of(root / "r.csv")) if (root / "r.csv").exists() else 0
    return watched.broken(0) or ("" if rows >= 6 else f"{rows} rows instead of 6")


def a_full_disk_under_the_film(root: Path) -> str:
    """Rows go on where the disk under ``--video`` is full."""
    film = write_packets(root / "film.ts", [np.random.default_rng(n).integers(0, 256, (240, 320, 3), np.uint8) for n in range(30)])  # fmt: skip
    with small_disk(root / "disk", 64 << 10) as disk:
        watched = run("watch", film, "--model", "nano", "--every", "100ms", "--threads", 1,
                      "--video", disk / "o.mp4", "--rows", root / "r.csv")  # fmt: skip
    rows = len(rows_of(root / "r.csv"))
    return watched.broken(0, 1) or ("" if rows >= 28 else f"{rows} rows of 30")


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Mount a small file system in memory."""
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "attack", str(folder)], check=True, timeout=30
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=30)


def odd_exif_among_photos(root: Path) -> str:
    """A photo with odd EXIF costs no row of the others, in a table and in an archive."""
    folder = photos(root / "p", "a.jpg", "z.jpg")
    for seed in range(40):
        (folder / f"odd{seed}.jpg").write_bytes(with_exif(PICTURES["jpeg"], odd_exif(random.Random(seed))))
    (folder / "avif.jpg").write_bytes(PICTURES["avif"])
    table = count(folder, "--csv", root / "t.csv", "--quiet")
    archive = count(folder, "--out", root / "o", "--quiet")
    checked = run("data", "check", folder)
    rows = len(rows_of(root / "t.csv"))
    broken = table.broken(0) or archive.broken(0) or checked.broken(0, 1)
    return broken or ("" if rows == 43 else f"{rows} rows of 43")


def odd_names(root: Path) -> str:
    """Names that are not UTF-8, with a carriage return, or with brackets have rows in every kind of table."""
    folder = photos(
        root / "p", "a.jpg", "photo[1].jpg", "a\rb.jpg", "trip [2024]/c.jpg", ".hidden.jpg", "._a.jpg"
    )
    shutil.copy(os.fsencode(folder / "a.jpg"), os.fsencode(folder) + b"/caf\xe9.jpg")
    table = count(folder, "--csv", root / "t.csv", "--points", root / "p.txt", "--quiet")
    names = [row["photo"] for row in rows_of(root / "t.csv")]
    archives = [
        count(folder, "--out", root / kind, "--format", kind, "--quiet") for kind in ("parquet", "csv")
    ]
    for pattern in (folder / "photo[1].jpg", folder / "trip [2024]"):
        broken = count(pattern, "--quiet").broken(0)
        if broken:
            return broken
    for done in (table, *archives):
        if done.broken(0, 2):
            return done.broken(0, 2)
    return "" if len(names) == 5 else f"{len(names)} rows of 5: {names}"


def an_unreadable_folder(root: Path) -> str:
    """A sub-folder that cannot be read is named (root without the right to read everything)."""
    folder = photos(root / "p")
    photos(folder / "closed")
    (folder / "closed").chmod(0)
    root.chmod(0o755)
    try:
        done = count(folder, "--quiet", powerless=True)
    finally:
        (folder / "closed").chmod(0o755)
    return done.broken(1, 2, says="closed")


def a_program_as_photo(root: Path) -> str:
    """PostScript, a PDF and a script named .jpg are refused, and start no program."""
    folder = photos(root / "p", "a.jpg")
    (folder / "ps.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    (folder / "pdf.jpg").write_bytes(b"%PDF-1.4\n")
    tools = root / "bin"
    tools.mkdir()
    (tools / "gs").write_text(f"#!/bin/sh\ntouch {root}/started\n")
    (tools / "gs").chmod(0o755)
    done = count(folder, "--quiet", env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"})
    return done.broken(1, 2, says="ps.jpg") or (
        "Ghostscript was started" if (root / "started").exists() else ""
    )


def a_huge_picture(root: Path) -> str:
    """A picture of 1,000,000×1 pixels takes less than 2 GB."""
    Image.new("L", (1_000_000, 1)).save(root / "wide.png")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    done = count(
        root / "wide.png",
        "--quiet",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30)),
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return done.broken(0, 1, 2) or (f"{peak / 1e6:.1f} GB" if peak > max(2e6, before) else "")


def users_mistakes(root: Path) -> str:
    """Targets that are files, folders, missing or forbidden end in a sentence."""
    folder = photos(root / "p")
    (root / "file").write_text("mine")
    (root / "closed").mkdir(mode=0o500)
    root.chmod(0o755)
    film = write_packets(root / "film.ts", [grey_frame(200)] * 5)
    watch = ("watch", film, "--model", "nano", "--every", "500ms", "--threads", 1)
    tries: list[tuple[Sequence[object], dict[str, Any]]] = [
        (("count", folder, "--model", "nano", "--out", root / "file"), {}),
        (("count", folder, "--model", "nano", "--csv", root / "p"), {}),
        (("count", folder, "--model", "nano", "--csv", root / "none" / "deep" / "t.csv"), {}),
        (("count", folder, "--model", "nano", "--csv", "/proc/t.csv"), {}),
        (("count", folder, "--model", "nano", "--save", root / "file"), {}),
        (("count", folder, "--model", root / "file"), {}),
        (("count", root / "none.jpg"), {}),
        ((*watch, "--rows", root / "file" / "r.csv"), {}),
        ((*watch, "--video", root / "p"), {}),
        ((*watch, "--rows", "/proc/r.csv"), {}),
        (("data", "convert", folder, root / "file" / "o.csv", "--to", "table"), {}),
        (("data", "check", root / "file"), {}),
        (("score", root / "file", root / "p"), {}),
        (("zones", "check", root / "file"), {}),
        (("models", "show", root / "none"), {}),
    ]
    tries.append(
        (("count", folder, "--model", "nano", "--csv", root / "closed" / "t.csv"), {"powerless": True})
    )
    tries.append((("count", folder, "--model", "nano", "--out", root / "closed" / "o"), {"powerless": True}))
    for words, settings in tries:
        done = run(*words, **settings)
        broken = done.broken(1, 2) if "deep" not in str(words[-1]) else done.broken(0, 1, 2)
        if broken:
            return f"{' '.join(map(str, words))}: {broken}"
    return "" if (root / "file").read_text() == "mine" else "the file in the way was written over"


def a_full_disk(root: Path) -> str:
    """A full disk leaves no half row: what a table holds is whole, and the sentence names the disk."""
    folder = photos(root / "p", *(f"{number:03}.jpg" for number in range(60)))
    with small_disk(root / "disk", 16 << 10) as disk:
        (disk / "filler").write_bytes(bytes(8 << 10))
        done = count(folder, "--csv", disk / "t.csv", "--quiet")
        text = (disk / "t.csv").read_text() if (disk / "t.csv").exists() else ""
        again = count(folder, "--out", disk / "o", "--quiet")
    rows = [len(row) for row in csv.reader(text.splitlines())]
    half = text and (not text.endswith("\n") or len(set(rows)) > 1)
    return done.broken(1, 2) or again.broken(1, 2) or ("half a row" if half else "")


def models_from_the_web(root: Path) -> str:
    """An index that names a device, an endless body, or a lying length ends in a sentence, and leaves nothing."""
    cache = root / "cache"
    for handler, seconds in ((Endless, 60), (Lying, 60)):
        with serving(handler) as address:
            for url in ("file:///dev/zero", "/etc/passwd", f"{address}/model"):
                index = {"models": {"evil": {"url": url, "sha256": "0" * 64}}}
                handler.index = json.dumps(index).encode()
                environment = {**os.environ, "CROWDSCALE_CACHE": str(cache)}
                done = run(
                    "models",
                    "fetch",
                    "evil",
                    "--from",
                    f"{address}/index.json",
                    seconds=seconds,
                    env=environment,
                )
                if done.broken(1, 2):
                    return f"{url}: {done.broken(1, 2)}"
    left = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file()) if cache.exists() else 0
    return f"{left} bytes are left in the cache" if left > 1_000_000 else ""


def secrets(root: Path) -> str:
    """A camera's password is in no output, no row and no process list."""
    (root / "cameras.toml").write_text('[[camera]]\nname = "a"\nsource = "env:CAMERA"\n')
    environment = {**os.environ, "CAMERA": "rtsp://admin:S3cret@127.0.0.1:9/x"}
    plain = run("watch", environment["CAMERA"], "--model", "nano", "--retries", 0, "--rows", root / "r.csv")
    hidden = run("watch", "--cameras", root / "cameras.toml", "--model", "nano", "--retries", 0, "--rows", root / "s.csv", env=environment)  # fmt: skip
    texts = [plain.out, hidden.out, *(path.read_text() for path in root.glob("*.csv"))]
    if any("S3cret" in text for text in texts):
        return "the password is printed"
    return plain.broken(1, 2) or hidden.broken(1, 2)


def hostile_labels(root: Path) -> str:
    """Labels with numbers beyond all bounds, deep JSON and an XML bomb end in a sentence."""
    folder = photos(root / "p", "a.jpg")
    texts = {
        "a.json": '[[1e400, 2]]', "b.json": "[" * 100_000, "c.json": '{"points": [[' + "9" * 5000 + ", 1]]}",
        "a.csv": "x,y,image\n1,2,a.jpg\n", "a.txt": "0 nan 0.5 0.1 0.1\n",
        "a.xml": '<?xml version="1.0" encoding="hex"?><annotation/>',
        "bomb.xml": '<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;">]><annotations>&y;</annotations>',
        "ext.xml": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotations>&x;</annotations>',
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_text(text)
        for done in (
            run("data", "check", folder),
            run("data", "convert", folder, root / "o.csv", "--to", "table"),
        ):
            if done.broken(0, 1, 2) or "root:x" in done.out:
                return f"{name}: {done.broken(0, 1, 2) or 'a file of this machine was read'}"
        (folder / name).unlink()
    (root / "p.txt").write_text("a nan\nb -3\n")
    (root / "t.txt").write_text("a 3\nb 4\n")
    return run("score", root / "p.txt", root / "t.txt").broken(1, 2)


def a_power_cut(root: Path) -> str:
    """A part that is empty and a stray file are made again or passed over; an empty description of the job is a sentence."""
    folder = photos(root / "p", *(f"{number}.jpg" for number in range(6)))
    job = ("--format", "csv", "--part", 2, "--quiet", "--out")
    first = count(folder, *job, root / "o")
    whole = rows_of_parts(root / "o")
    if first.broken(0) or len(whole) != 6:
        return first.broken(0) or f"{len(whole)} of 6 rows"
    for path in (each.relative_to(root / "o") for each in (root / "o").rglob("*") if each.is_file()):
        shutil.rmtree(root / "cut", ignore_errors=True)
        shutil.copytree(root / "o", root / "cut")
        (root / "cut" / path).write_bytes(b"")
        (root / "cut" / "Thumbs.db").write_bytes(b"x")
        again = count(folder, *job, root / "cut")
        if again.broken(2 if path.name == "job.json" else 0):
            return f"{path}: {again.broken(2 if path.name == 'job.json' else 0)}"
        if path.name != "job.json" and rows_of_parts(root / "cut") != whole:
            return f"{path}: rows are lost or doubled"
    return ""


def rows_of_parts(folder: Path) -> list[tuple[str, str]]:
    """Return photo and count of each row of all parts, sorted."""
    parts = sorted((folder / "counts").glob("part-*"))
    return sorted((row["photo"], row["count"]) for part in parts for row in rows_of(part))


ATTACKS: dict[str, Callable[[Path], str]] = {
    "1 damaged H.264": damaged_films,
    "1 damaged H.264, SIGTERM": damaged_streams_that_never_end,
    "2 film that changes": a_film_that_changes,
    "2 full disk under the film": a_full_disk_under_the_film,
    "3 odd EXIF": odd_exif_among_photos,
    "5 power cut": a_power_cut,
    "6 odd names": odd_names,
    "6 unreadable folder": an_unreadable_folder,
    "8 program as photo": a_program_as_photo,
    "9 1,000,000×1 pixels": a_huge_picture,
    "10 mistakes": users_mistakes,
    "10 full disk": a_full_disk,
    "11 hostile labels": hostile_labels,
    "12 models from the web": models_from_the_web,
    "13 secrets": secrets,
    "15 silent camera": a_camera_that_stays_silent,
}
"""Number in the issue and name; 4 (webhooks), 7 (Ray), 14 (editor) and 16 (nobody) are tests, fuzz and benchmarks.nobody."""


def main() -> int:
    """Print a line an attack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], help="attacks whose name begins so")
    options = parser.parse_args()
    broke = 0
    for name, attack in ATTACKS.items():
        if name.startswith(tuple(options.only)):
            started = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                try:
                    answer = attack(Path(folder))
                except Exception as error:
                    answer = f"the attack failed itself: {error!r}"
            broke += bool(answer)
            print(
                f"{name:28} {'broke: ' + answer if answer else 'held':8} {time.monotonic() - started:6.1f} s",
                flush=True,
            )
    return 1 if broke else 0


if __name__ == "__main__":
    sys.exit(main())
