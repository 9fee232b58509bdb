"""Damaged files of each format by the thousand: ``python -m benchmarks.hostile --inputs 10000``.

Each input is a sound file of ``tests/hostile/seeds.py`` with words, JSON values or bytes replaced. It must be read
or refused in one sentence. Printed are the inputs that were read and refused, other exceptions, the slowest input
and the largest memory of the process.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from crowdscale.data import Folder, read_list
from crowdscale.errors import CrowdscaleError
from crowdscale.files.images import read_image
from crowdscale.metrics import read_entries
from crowdscale.video.sources import open_source
from crowdscale.zones.files import read_zones
from tests.hostile.damage import TOKEN, VALUES, WORDS
from tests.hostile.media import PICTURES
from tests.hostile.seeds import BINARY, POINT_FILES, TEXTS, ZONES
from tests.support.films import grey_frame, write_film, write_packets
from tests.support.layouts import write_photo

BYTES = (b"\xff", b"\0", b"\x7f", b"\x80", b"9", b"-", b'"', b"[", b"<")

Kind = tuple[str, str, bytes, Callable[[Path], object]]
"""(name, file name, sound content, reader)."""


def kinds() -> Iterator[Kind]:
    """Yield each format with its reader."""
    for name, (file, text) in TEXTS.items():
        yield name, file, text.encode(), read_folder
    for name, (file, data) in BINARY.items():
        yield name, file, data, read_folder
    for name, (file, text) in ZONES.items():
        yield f"zones {name}", file, text.encode(), read_zones
    for name, (file, text) in POINT_FILES.items():
        yield f"points {name}", file, text.encode(), read_entries
    for name, data in PICTURES.items():
        yield f"picture {name}", name, data, read_image
    for name, data in films().items():
        yield f"film {name}", f"film.{name}", data, read_film
    yield "list", "list.txt", b"sha/IMG_1\nfolder/a  # comment\n", read_list


def films() -> dict[str, bytes]:
    """Return short films of H.264 by suffix."""
    frames = [grey_frame(20 * number) for number in range(12)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [write_packets(Path(folder) / f"film.{suffix}", frames) for suffix in ("mp4", "mkv", "ts")]
        paths.append(write_film(Path(folder) / "film.avi", frames))
        return {path.suffix[1:]: path.read_bytes() for path in paths}


def read_film(path: Path) -> object:
    """Decode every frame of a film."""
    return sum(frame.pixels.size for frame in open_source(str(path)))


def read_folder(path: Path) -> object:
    """Read the folder of a file."""
    return Folder(path.parent, unlabelled="skip", outside="keep", classes=("all",)).samples


def damaged(seed: bytes, rng: random.Random) -> bytes:
    """Return the content with one kind of damage."""
    text = seed.decode("utf-8", "ignore")
    way = rng.choice(("words", "values", "bytes"))
    if way == "values" and text.lstrip()[:1] in ("[", "{"):
        content = json.loads(text)
        for _ in range(rng.randint(1, 3)):
            content = replaced(content, rng)
        return json.dumps(content).encode()
    if way == "words" and text.isprintable() | ("\n" in text):
        for _ in range(rng.randint(1, 3)):
            tokens = list(TOKEN.finditer(text))
            token = rng.choice(tokens) if tokens else None
            if token:
                text = text[: token.start()] + rng.choice(WORDS) + text[token.end() :]
        return text.encode("utf-8", "surrogatepass")
    return damaged_bytes(seed, rng)


def damaged_bytes(seed: bytes, rng: random.Random) -> bytes:
    """Return the content with bytes changed, removed, inserted, or cut short."""
    data = bytearray(seed)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(max(1, len(data)))
        way = rng.randrange(12)
        if way < 2:
            del data[at : at + rng.randint(1, 40)]
        elif way < 4:
            data[at:at] = rng.randbytes(rng.randint(0, 8))
        elif way == 4:
            del data[at:]
        else:
            data[at : at + 1] = rng.choice((*BYTES, rng.randbytes(1)))
    return bytes(data)


def replaced(content: Any, rng: random.Random) -> Any:
    """Return plain values with one of them, at any depth, replaced, removed or doubled."""
    if not isinstance(content, (dict, list)) or not content or rng.random() < 0.2:
        return rng.choice(VALUES)
    if isinstance(content, dict):
        key = rng.choice(sorted(content))
        if rng.random() < 0.1:
            return {name: value for name, value in content.items() if name != key}
        return {**content, key: replaced(content[key], rng)}
    index = rng.randrange(len(content))
    if rng.random() < 0.1:
        return [*content, content[index]]
    return [*content[:index], replaced(content[index], rng), *content[index + 1 :]]


def try_kind(kind: Kind, root: Path, inputs: int, seed: int) -> tuple[Counter[str], float]:
    """Return the outcomes and the slowest input's seconds."""
    name, file, content, read = kind
    rng, outcomes, slowest = random.Random(f"{seed} {name}"), Counter[str](), 0.0
    path = root / file
    for _ in range(inputs):
        data = damaged(content, rng)
        path.write_bytes(data)
        start = time.perf_counter()
        try:
            read(path)
            outcomes["read"] += 1
        except CrowdscaleError:
            outcomes["refused"] += 1
        except Exception:
            outcomes["other"] += 1
            print(f"{name}: {data[:300]!r}\n{traceback.format_exc(limit=-4)}", file=sys.stderr)
        slowest = max(slowest, time.perf_counter() - start)
    path.unlink()
    return outcomes, slowest


def main() -> int:
    """Print a line a format; return 1 where an input gave another exception."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000, help="inputs of each format")
    parser.add_argument("--only", default="", help="formats whose name begins so")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    others = 0
    print(f"{'format':20} {'read':>7} {'refused':>7} {'other':>6} {'slowest s':>9} {'MB':>6}")
    for kind in (each for each in kinds() if each[0].startswith(options.only)):
        with tempfile.TemporaryDirectory() as folder:
            write_photo(Path(folder) / "a.jpg")
            outcomes, slowest = try_kind(kind, Path(folder), options.inputs, options.seed)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        row = (
            f"{outcomes['read']:7} {outcomes['refused']:7} {outcomes['other']:6} {slowest:9.2f} {memory:6.0f}"
        )
        print(f"{kind[0]:20} {row}", flush=True)
        others += outcomes["other"]
    return 1 if others else 0


if __name__ == "__main__":
    sys.exit(main())
