"""Damaged files of each format by the thousand: ``python -m benchmarks.hostile --inputs 10000``.

Each input is a sound file of ``tests/hostile`` with words, JSON values or bytes replaced. It must be read or refused
in one sentence, within 5 seconds of processor time and 2 GB. Inputs run in a process of their own, which is started again behind an
input that ends it. Printed are the inputs that were read and refused, those with another exception, a crash or a
hang, the slowest input and the largest memory.

The counts of ``research/results/hostile/README.md`` are in ``inputs.json`` beside it. A piece that goes on with them,
and the table anew::

    python -m benchmarks.hostile --inputs 10000 --keep research/results/hostile/inputs.json --minutes 9
    python -m benchmarks.hostile --inputs 0 --keep research/results/hostile/inputs.json --page research/results/hostile/README.md
"""

from __future__ import annotations

import argparse
import json
import random
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.hostile_answers import answers
from benchmarks.isolated import Tally, run_isolated
from crowdscale.counting.prediction import Prediction
from crowdscale.data import Folder, read_list
from crowdscale.files.decoder import photo_size
from crowdscale.files.images import read_image
from crowdscale.files.taken import date_taken
from crowdscale.files.writing import write_atomic
from crowdscale.metrics import read_entries
from crowdscale.models.description import ModelConfig
from crowdscale.models.download import read_index
from crowdscale.points import Points
from crowdscale.video.sources import open_source
from crowdscale.zones.files import read_zones, zones_from_json, zones_json
from tests.hostile.damage import TOKEN, VALUES, WORDS
from tests.hostile.media import PICTURES, odd_exif, with_checksums, with_exif
from tests.hostile.seeds import BINARY, DESCRIPTION, INDEX, POINT_FILES, TEXTS, ZONES
from tests.support.films import grey_frame, write_film, write_packets
from tests.support.layouts import write_photo

BYTES = (b"\xff", b"\0", b"\x7f", b"\x80", b"9", b"-", b'"', b"[", b"<")

NUMBERS = (0, 0.5, 1, -1, 1e-9, 1e-300, 63.999, 64, 1e6, 1e15, 2**31, 2**63, float("nan"), float("inf"))
"""Numbers in the place of a corner, a side or a size."""


class Kind(NamedTuple):
    """A format: a sound file, its reader, and how it is damaged."""

    name: str
    file: str
    content: bytes | Callable[[], bytes]
    read: Callable[[Path], object]
    damage: Callable[[bytes, random.Random], bytes] | None = None


def kinds() -> Iterator[Kind]:
    """Yield each format with its reader."""
    for name, (file, text) in TEXTS.items():
        yield Kind(name, file, text.encode(), read_folder)
    for name, (file, data) in BINARY.items():
        yield Kind(name, file, data, read_folder)
    for name, (file, text) in ZONES.items():
        yield Kind(f"zones {name}", file, text.encode(), use_zones, damaged_zones)
    for name, (file, text) in POINT_FILES.items():
        yield Kind(f"points {name}", file, text.encode(), read_entries)
    for name, data in PICTURES.items():
        yield Kind(f"picture {name}", name, data, read_image, damaged_picture)
    for name in ("jpeg", "png"):
        yield Kind(f"exif {name}", f"exif.{name}", PICTURES[f"{name}-exif"], read_turned, damaged_exif)
    for name, data in films().items():
        yield Kind(f"film {name}", f"film.{name}", data, read_film, damaged_bytes)
    yield Kind("list", "list.txt", b"sha/IMG_1\nfolder/a  # comment\n", read_list)
    yield Kind(
        "model index", "index.json", INDEX.encode(), lambda path: read_index(text_of(path), "lite", "index")
    )
    yield Kind(
        "model description",
        "model.json",
        DESCRIPTION.encode(),
        lambda path: ModelConfig.from_json(text_of(path)),
    )
    yield from (Kind(*each) for each in answers())


def text_of(path: Path) -> str:
    """Return a file's text, whatever its bytes."""
    return path.read_bytes().decode("utf-8", "replace")


def use_zones(path: Path) -> object:
    """Read zones, count a photo in them, and write them: nothing is lost."""
    zones = read_zones(path)
    again = zones_from_json(json.loads(json.dumps(zones_json(zones))), "what was written")
    if again != zones:
        raise AssertionError(f"expected {zones}, but got {again}")
    zones.warnings()
    heads = Points([[10.0, 10.0], [50.0, 40.0]])
    density = np.full((3, 4), 1 / 6, np.float32)
    prediction = Prediction(2.0, heads, None, (), 2.0, heads, (64, 48), "a", density, (16.0, 16.0))
    zones.limit(prediction)
    return zones.count(prediction)


def films() -> dict[str, bytes]:
    """Return short films by suffix: H.264, and JPEGs in AVI."""
    frames = [grey_frame(20 * number) for number in range(8)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            write_packets(Path(folder) / f"film.{suffix}", frames) for suffix in ("mp4", "mkv", "ts", "mov")
        ]
        paths.append(write_film(Path(folder) / "film.avi", frames, codec="mjpeg"))
        return {path.suffix[1:]: path.read_bytes() for path in paths}


def damaged_picture(seed: bytes, rng: random.Random) -> bytes:
    """Return a picture with bytes changed, with odd EXIF, or both; every second PNG has right checksums."""
    data = seed if rng.random() < 0.4 else damaged_bytes(seed, rng)
    if data is seed or rng.random() < 0.2:
        data = with_exif(data, odd_exif(rng))
        data = damaged_bytes(seed, rng) if data == seed else data
    return with_checksums(data) if rng.random() < 0.5 else data


def damaged_exif(seed: bytes, rng: random.Random) -> bytes:
    """Return a picture with odd EXIF, or with bytes of its own EXIF block changed; its pixels stay whole."""
    if rng.random() < 0.5:
        return with_exif(seed, odd_exif(rng))
    start = seed.index(b"MM\0*")
    length = (
        struct.unpack(">I", seed[start - 8 : start - 4])[0]
        if seed[:1] == b"\x89"
        else struct.unpack(">H", seed[start - 8 : start - 6])[0] - 8
    )
    data = bytearray(seed)
    for _ in range(rng.randint(1, 6)):
        data[rng.randrange(start, start + length)] = rng.choice((*BYTES, rng.randbytes(1)))[0]
    return with_checksums(bytes(data))


def read_turned(path: Path) -> object:
    """Read a picture as ``count --out`` does: its pixels, its size and its time."""
    photo = read_image(path)
    assert sorted(photo.size) == sorted(photo_size(path))
    return date_taken(path), photo


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


def damaged_zones(seed: bytes, rng: random.Random) -> bytes:
    """Return zones with corners moved and values replaced one by one, so that many are read; every fourth as ``damaged``."""
    text = seed.decode()
    if rng.random() < 0.25 or text.lstrip()[:1] not in ("[", "{"):
        return damaged(seed, rng)
    content = json.loads(text)
    for _ in range(rng.randint(1, 3)):
        content = with_leaf(content, rng)
    return json.dumps(content).encode()


def with_leaf(content: Any, rng: random.Random) -> Any:
    """Return plain values with one that holds no others moved or replaced, or with a list shortened, doubled or turned."""
    if isinstance(content, dict) and content:
        key = rng.choice(sorted(content))
        return {**content, key: with_leaf(content[key], rng)}
    if isinstance(content, list) and content:
        index = rng.randrange(len(content))
        way = rng.randrange(20)
        if way < 3:
            return [content[:index] + content[index + 1 :], [*content, content[index]], content[::-1]][way]
        return [*content[:index], with_leaf(content[index], rng), *content[index + 1 :]]
    if isinstance(content, (int, float)) and rng.random() < 0.7:
        return rng.choice(
            (content + rng.randint(-9, 9), -content, content * rng.random(), rng.choice(NUMBERS))
        )
    return rng.choice(VALUES)


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


def main() -> int:
    """Print a line a format; return 1 where an input gave anything but an answer or a sentence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1000, help="inputs of each format")
    parser.add_argument("--only", default=[], nargs="+", help="formats whose name begins so")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="go on with the counts of this file, and keep them there")
    parser.add_argument("--piece", type=int, default=500, help="inputs between two writings of --keep")
    parser.add_argument("--minutes", type=float, default=600.0, help="begin no piece after so many minutes")
    parser.add_argument("--page", type=Path, help="write the table into this page, in place of the one there")
    parser.add_argument("--again", action="store_true", help="read only the faults of --keep once more")
    options = parser.parse_args()
    counts = Counts(options.keep)
    end = time.monotonic() + 60 * options.minutes
    for kind in (each for each in kinds() if not options.only or each.name.startswith(tuple(options.only))):
        tally = counts.of(kind.name)
        if options.again:
            counts.add(kind.name, repaired(kind, tally, options.seed))
        while not options.again and tally.inputs < options.inputs and time.monotonic() < end:
            numbers = range(tally.inputs, min(tally.inputs + options.piece, options.inputs))
            tally = tally.plus(read_inputs(kind, numbers, options.seed))
            counts.add(kind.name, tally)
    print(counts.table())
    if options.page is not None:
        text = options.page.read_text(encoding="utf-8")
        content = (text[: text.index("| format |")] + counts.table() + "\n").encode()
        write_atomic(options.page, lambda stream: stream.write(content))
    return 1 if any(tally.faults for tally in counts.tallies.values()) else 0


def read_inputs(kind: Kind, numbers: Sequence[int], seed: int) -> Tally:
    """Read the damaged inputs of some numbers, in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        write_photo(Path(folder) / "a.jpg")
        path = Path(folder) / kind.file
        sound = kind.content if isinstance(kind.content, bytes) else kind.content()

        def make(index: int) -> Path:
            rng = random.Random(f"{seed} {kind.name} {index}")
            path.write_bytes((kind.damage or damaged)(sound, rng))
            return path

        return run_isolated(kind.name, make, kind.read, numbers)


def repaired(kind: Kind, tally: Tally, seed: int) -> Tally:
    """Read the inputs that were faults once more: those that are mended count as read or refused."""
    if not tally.faults:
        return tally
    again = read_inputs(kind, sorted(tally.faults), seed)
    return tally.without_faults().plus(again)


class Counts:
    """What became of the inputs of each format, in a file that later pieces go on with."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        kept = json.loads(path.read_text(encoding="utf-8")) if path is not None and path.exists() else {}
        self.tallies = {name: Tally(**values) for name, values in kept.items()}

    def of(self, name: str) -> Tally:
        """Return the counts of a format."""
        return self.tallies.get(name, Tally())

    def add(self, name: str, tally: Tally) -> None:
        """Replace the counts of a format, and write them."""
        self.tallies[name] = tally
        if self.path is not None:
            lines = ",\n".join(
                f"{json.dumps(name)}: {json.dumps(asdict(tally))}" for name, tally in self.tallies.items()
            )
            content = f"{{\n{lines}\n}}\n".encode()
            write_atomic(self.path, lambda stream: stream.write(content))

    def table(self) -> str:
        """Return a table in Markdown: a line a format, and all together."""
        whole = sum(self.tallies.values(), Tally())
        rows = [*self.tallies.items(), ("all", whole)]
        columns = ("inputs", "read", "refused", "exceptions", "crashes", "hangs", "slowest s", "MB")
        lines = [f"| format | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
        lines += [f"| {name} | {' | '.join(tally.row())} |" for name, tally in rows]
        return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
