"""Faults and attacks against today's commands, in processes of their own: ``python -m benchmarks.faults``.

Each attack runs the command as a user would. It is held when the command ends in time with the right exit
code, without a traceback, and what it must keep is there. Printed is a line an attack; the exit code is 1 where one broke.
``--only NAME`` runs those whose name begins so.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.faults_running import count, photos, rows_of, run, small_disk
from benchmarks.faults_video import (
    a_camera_that_stays_silent,
    a_film_that_changes,
    a_full_disk_under_the_film,
    damaged_films,
    damaged_streams_that_never_end,
)
from benchmarks.faults_web import Endless, Lying, serving
from tests.hostile.media import PICTURES, odd_exif, with_exif
from tests.support.films import grey_frame, write_packets


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
"""Kind and name; 4 (webhooks), 7 (Ray), 14 (editor) and 16 (nobody) are tests, fuzz and benchmarks.nobody."""


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
