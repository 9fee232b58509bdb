"""Report of a data set: its photos, heads and sizes, and every fault at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from crowdscale.arrays import Floats
from crowdscale.data.checks import is_outside
from crowdscale.data.classes import split_source
from crowdscale.data.formats.label import Label
from crowdscale.data.opening import FOLDER, GRAMMAR, open_dataset, protocol_of
from crowdscale.data.recognition import beside_format
from crowdscale.data.scanning import Scan, scan_folder
from crowdscale.errors import CrowdscaleError
from crowdscale.files.decoder import TURNED, choose_page, opened, stored_orientation
from crowdscale.files.documents import read_xml
from crowdscale.files.images import read_image
from crowdscale.files.writing import write_atomic
from crowdscale.points import Points

__all__ = ["LEVELS", "PhotoFacts", "Problem", "Report", "check_dataset", "spread_over_counts"]

LEVELS = {"0": (0, 0), "1–10": (1, 10), "11–100": (11, 100), "101–500": (101, 500), "501–2,000": (501, 2000),
          "over 2,000": (2001, 10**9)}  # fmt: skip
"""Density levels where a set has none of its own: name → fewest and most heads."""

UPPER_LEFT, FEWEST = 0.7, 20
"""Where all heads of a set, and so many of several photos, lie within this share of both sides, photos are enlarged."""

DOUBLE = 1.0
"""Two heads at most this many pixels apart are suspected to be one, marked twice."""

ORPHANS = (".csv", ".json", ".xml")
"""Suffixes of an annotation that belongs to one photo."""


@dataclass(frozen=True)
class Problem:
    """A fault, or a suspicion."""

    photo: str
    """The photo's name, or the file's."""
    kind: str
    """``unreadable``, ``annotation``, ``unlabelled``, ``orphan``, ``changed``, ``outside``, ``double``, ``corner``,
    ``turned``, ``enlarged``, ``one-based``."""
    sentence: str
    broken: bool = True
    """Whether it must be corrected; otherwise it is a warning."""


@dataclass(frozen=True, eq=False)
class PhotoFacts:
    """One photo that could be read."""

    name: str
    path: Path
    size: tuple[int, int]
    """(width, height) in pixels."""
    points: Points | None
    level: str
    """Density level; empty without labels."""


@dataclass(frozen=True, eq=False)
class Report:
    """The content and the faults of a data set."""

    source: str
    photos: tuple[PhotoFacts, ...]
    problems: tuple[Problem, ...]
    level_names: tuple[str, ...]

    @property
    def broken(self) -> bool:
        """Whether something must be corrected."""
        return any(problem.broken for problem in self.problems)

    @property
    def counts(self) -> list[int]:
        """Heads of each labelled photo."""
        return [len(photo.points) for photo in self.photos if photo.points is not None]

    def levels(self) -> dict[str, int]:
        """Return the photos of each density level."""
        photos_of_level = Counter(photo.level for photo in self.photos if photo.points is not None)
        return {name: photos_of_level[name] for name in self.level_names}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "source": self.source,
            "photos": len(self.photos),
            "labelled": len(self.counts),
            "heads": sum(self.counts),
            "levels": self.levels(),
            "problems": [vars(problem) for problem in self.problems],
            "rows": [
                {
                    "name": photo.name,
                    "width": photo.size[0],
                    "height": photo.size[1],
                    "heads": None if photo.points is None else len(photo.points),
                    "level": photo.level,
                }
                for photo in self.photos
            ],
        }

    def write_json(self, path: Path) -> None:
        """Write everything, atomically."""
        text = json.dumps(self.to_dict(), indent=1) + "\n"
        write_atomic(path, lambda stream: stream.write(text.encode()))


Entries = Sequence[tuple[str, Path, Points | None]]


def check_dataset(
    source: str, on_photo: Callable[[int], object] | None = None, classes: Sequence[str] = ()
) -> Report:
    """Read a whole data set and report its content and all faults.

    Args:
        source: ``NAME[/SPLIT]:PATH``, or a folder of your own, perhaps with ``?class=NAME`` behind it.
        on_photo: Called after each photo with the number of photos in all.
        classes: The classes that are read from a folder of your own; needed where there are several.

    Raises:
        DataError: There is no folder, or it holds no photo.
    """
    if not Path(source).exists():
        source, own_classes = split_source(source)
        classes = (*classes, *own_classes)
    match = GRAMMAR.fullmatch(source)
    own = match is None or match["name"] == FOLDER or Path(source).exists()
    problems: list[Problem] = []
    if own:
        root = Path(source.removeprefix(f"{FOLDER}:")).expanduser()
        scan = scan_folder(root, classes=classes)
        entries = _own_entries(scan, problems)
        problems += [*_orphans(root, scan), *_suspect_turned(scan)]
        levels = LEVELS
    else:
        dataset = open_dataset(source)  # a public set is as its authors left it: its first fault is the fault
        entries = [(s.name, s.image_path, s.points) for s in dataset.samples]
        levels = dict(protocol_of(dataset.name).levels) or LEVELS
    photos = []
    for name, path, points in entries:
        facts = _look(name, path, points, levels, problems)
        if facts is not None:
            photos.append(facts)
        if on_photo is not None:
            on_photo(len(entries))
    problems += [*_suspect_one_based(photos), *_suspect_enlarged(photos)]
    problems.sort(key=lambda problem: not problem.broken)
    return Report(source, tuple(photos), tuple(problems), tuple(levels))


def _own_entries(scan: Scan, problems: list[Problem]) -> Entries:
    problems += [Problem(name, "annotation", str(error)) for name, error in scan.problems]
    problems += [
        Problem(name, "unlabelled", f"Expected points for {scan.photos[name].name}, but got none.")
        for name in scan.lacking
    ]
    problems += [Problem(name, "changed", sentence, broken=False) for name, sentence in scan.notes]
    points = {name: label.points for name, (_, label) in scan.labels.items()}
    return [(name, path, points.get(name)) for name, path in scan.photos.items()]


def _orphans(root: Path, scan: Scan) -> Iterator[Problem]:
    """Return annotations of one photo without their photo; in the root, those that are recognised as such."""
    used = scan.taken
    faulty = {name for name, _ in scan.problems}
    lone = _lone_annotations(scan)
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).with_suffix("").as_posix()
        if name in scan.photos or not _is_unused_annotation(path, used):
            continue
        if path.parent != root or path in lone or _is_sound_table(path, faulty):
            yield Problem(name, "orphan", f"Expected a photo for the annotation {path}, but got none.")


def _lone_annotations(scan: Scan) -> set[Path]:
    """Return the files of no recognised kind that are tables or label one photo."""
    return {path for path in scan.unread if path.suffix.lower() == ".csv" or _labels_one(path)}


def _is_unused_annotation(path: Path, used: Collection[str]) -> bool:
    """Return whether a file is named like an annotation of one photo and was not read as such."""
    return path.suffix.lower() in ORPHANS and str(path) not in used and not path.name.startswith("._")


def _is_sound_table(path: Path, faulty: Collection[str]) -> bool:
    """Return whether a file is a table of which no fault was reported."""
    return path.suffix.lower() == ".csv" and path.name not in faulty


def _labels_one(path: Path) -> bool:
    """Return whether a file is an annotation of one photo, by its content."""
    try:
        if path.suffix.lower() == ".xml":
            return bool(read_xml(path).tag == "annotation")
        return path.suffix.lower() == ".json" and beside_format(path).name != "json"
    except CrowdscaleError:
        return False


def _look(
    name: str, path: Path, points: Points | None, levels: dict[str, tuple[int, int]], problems: list[Problem]
) -> PhotoFacts | None:
    try:
        height, width = read_image(path).pixels.shape[:2]
    except CrowdscaleError as error:
        problems.append(Problem(name, "unreadable", str(error)))
        return None
    level = ""
    if points is not None:
        beyond = int(is_outside(points, (width, height)).sum())
        if beyond:
            text = f"{beyond} of {len(points)} heads lie outside their {width}×{height} photo {name}."
            problems.append(Problem(name, "outside", text))
        doubles = len(cKDTree(points.xy).query_pairs(DOUBLE)) if len(points) > 1 else 0
        if doubles:
            text = f"{doubles} pairs of heads lie within {DOUBLE:g} px of each other in {name}."
            problems.append(Problem(name, "double", text, broken=False))
        corner = int((points.xy <= 0).all(axis=1).sum())
        if corner:
            text = f"{corner} of {len(points)} heads lie at 0,0 in {name}: points that were never marked, perhaps."
            problems.append(Problem(name, "corner", text, broken=False))
        level = next((key for key, (low, high) in levels.items() if low <= len(points) <= high), "")
    return PhotoFacts(name, path, (width, height), points, level)


def _suspect_one_based(photos: Sequence[PhotoFacts]) -> list[Problem]:
    """Return a warning where whole coordinates are never 0 but reach the width or height: they count from 1."""
    marked = [(photo, photo.points.xy) for photo in photos if photo.points is not None and len(photo.points)]
    if not marked:
        return []
    if not _is_whole_from_one(np.vstack([xy for _, xy in marked])):
        return []
    reaching = [photo.name for photo, xy in marked if (xy == np.array(photo.size)).any()]
    if not reaching:
        return []
    text = (
        f"The coordinates look counted from 1: none is 0 and {len(reaching)} photos have a head at their "
        f"width or height, the first {reaching[0]}. Subtract 1 if so."
    )
    return [Problem(reaching[0], "one-based", text, broken=False)]


def _suspect_turned(scan: Scan) -> list[Problem]:
    """Return a warning where EXIF turns photos, and nothing says whether heads were marked before or after."""
    turned = [name for name, (_, label) in scan.labels.items() if _is_open(label, scan.photos[name])]
    if not turned:
        return []
    text = (
        f"EXIF turns or mirrors {len(turned)} photos whose annotations may have been made before or after, the first "
        f"{scan.photos[turned[0]]}: heads are read as those of the upright photo. Check one of them."
    )
    return [Problem(turned[0], "turned", text, broken=False)]


def _is_open(label: Label, photo: Path) -> bool:
    """Return whether EXIF turns a photo and the size of its annotation leaves open whether it was upright then."""
    if not len(label.points):
        return False
    try:
        with opened(photo, str(photo)) as image:
            choose_page(image, str(photo))
            orientation, square = stored_orientation(image), image.width == image.height
    except CrowdscaleError:  # reported as unreadable
        return False
    return orientation != 1 and (label.size is None or square or orientation not in TURNED)


def _suspect_enlarged(photos: Sequence[PhotoFacts]) -> list[Problem]:
    """Return a warning where the heads of several photos all lie in their upper left part."""
    shares = [
        photo.points.xy / photo.size for photo in photos if photo.points is not None and len(photo.points)
    ]
    if len(shares) < 2 or sum(map(len, shares)) < FEWEST:
        return []
    right, bottom = np.vstack(shares).max(axis=0).tolist()
    if max(right, bottom) > UPPER_LEFT:
        return []
    text = (
        f"All heads lie in the upper left part of their photos, up to {right:.0%} of the width and {bottom:.0%} of the "
        "height. Were the photos enlarged after they were annotated?"
    )
    return [Problem(photos[0].name, "enlarged", text, broken=False)]


def _is_whole_from_one(xy: Floats) -> bool:
    """Return whether all coordinates are whole numbers and none is below 1."""
    return not (xy.min() < 1 or (xy != np.round(xy)).any())


def spread_over_counts(photos: Sequence[PhotoFacts], most: int) -> list[PhotoFacts]:
    """Return at most ``most`` labelled photos, evenly spread from the fewest heads to the most."""
    order = sorted((p for p in photos if p.points is not None), key=lambda p: (len(p.points or ()), p.name))
    if len(order) <= most:
        return order
    return [order[round(i)] for i in np.linspace(0, len(order) - 1, most)]
