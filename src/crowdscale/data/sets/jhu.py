"""JHU-Crowd++: photos, heads with boxes, occlusion and blur, and labels of the scene to samples."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from crowdscale.data.checks import check_points
from crowdscale.data.protocol import Card, Protocol, SizeLimits
from crowdscale.data.sample import Sample
from crowdscale.data.sets.layout import Reader, check_split, find_root, pair_files, photos_by_stem, read_rows
from crowdscale.errors import DataError
from crowdscale.files.documents import read_text

__all__ = ["JHUCrowd"]

TREE = """
jhu_crowd_v2.0/
  train/  images/0001.jpg …  gt/0001.txt …  image_labels.txt
  val/    …
  test/   …
"""

WEATHER = {"0": "none", "1": "haze", "2": "rain", "3": "snow"}
"""Weather by its number in image_labels.txt."""

SMALLEST = 1.0
"""Sides of 0 pixels, which a few of the approximate boxes have, are read as this many."""


class JHUCrowd(Reader):
    """JHU-Crowd++ (v2.0): 4,372 photos from the web, 0 to 25,791 heads each, 1.51 million in all.

    2,272 photos to train, 500 to validate, 1,600 to test, among them fog, rain, snow and photos without
    people. A line of ``gt/NNNN.txt`` is a head: ``x y w h o b``, where w and h are its approximate size in
    pixels, o its occlusion (1 visible, 2 partly, 3 fully occluded) and b whether it is blurred (0, 1). A
    line of ``image_labels.txt`` is a photo: name, count, scene, weather, distractor (1: no people, but
    something alike). As the release's README and the paper's section 3 describe. Unverified: the real
    files are not at hand here.

    Samples carry ``sizes``, the fields ``occlusion`` and ``blur`` of each head, and the attributes
    ``level``, ``scene``, ``weather`` and ``distractor``.

    Protocol: kernel σ 8, longest side 2,048 and shortest 512, as AutoScale's test code has them; scores by density level (low 0–50,
    medium 51–500, high above 500) and weather.

    Licence: for research. Where to get it: http://www.crowd-counting.com/. Citation: V. Sindagi, R. Yasarla,
    V. Patel, JHU-CROWD++: Large-Scale Crowd Counting Dataset and A Benchmark Method, TPAMI 2020.

    Args:
        root: The folder with ``train``, ``val`` and ``test``, or the one above it.
        split: ``"train"``, ``"val"`` or ``"test"``.

    Raises:
        DataError: A folder, a photo or an annotation is missing or damaged.
    """

    card: ClassVar[Card] = Card(
        "JHU-Crowd++", "4,372 web photos, 0 to 25,791 heads, fog, rain and snow", "points and sizes of heads",
        "research", "http://www.crowd-counting.com/", "Sindagi et al., TPAMI 2020", confirmed="",
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(
        ("train", "val", "test"), sigma=8.0, limits=SizeLimits(2048, 512),
        thresholds=("4px", "8px", "16px", "small", "large"), attributes=("weather",),
        levels={"low": (0, 50), "medium": (51, 500), "high": (501, 10**9)},
    )  # fmt: skip

    def __init__(self, root: str | Path, split: str = "train") -> None:
        self.split = check_split(self.protocol.splits, split, "JHU-Crowd++")
        base = find_root(root, ("jhu_crowd_v2.0", "jhu_crowd_plusplus"), (split,), TREE) / split
        photos = photos_by_stem((base / "images").glob("*"))
        truths = {path.stem: path for path in (base / "gt").glob("*.txt")}
        labels = _read_labels(base / "image_labels.txt")
        self.samples = [
            self._sample(name, photo, truth, labels)
            for name, photo, truth in pair_files(base, photos, truths, "images/NNNN.jpg", "gt/NNNN.txt")
        ]

    def _sample(self, name: str, photo: Path, truth: Path, labels: dict[str, dict[str, str]]) -> Sample:
        heads = read_rows(truth, 6)
        about = {"set": "jhu", "split": self.split, "level": self.protocol.level(len(heads))}
        if name not in labels:
            raise DataError(f"expected a line for {name} in image_labels.txt beside {photo.parent}", "none")
        fields = {"occlusion": heads[:, 4], "blur": heads[:, 5]}
        sizes = np.maximum(heads[:, 2:4], SMALLEST)
        points = check_points(heads[:, :2], None, truth)
        return Sample(name, photo, points, sizes, {**about, **labels[name]}, fields=fields)


def _read_labels(path: Path) -> dict[str, dict[str, str]]:
    """Return scene, weather and distractor by the photo's name."""
    if not path.is_file():
        raise DataError("expected the list image_labels.txt of JHU-Crowd++", f"no file at {path}")
    labels = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        cells = [cell.strip() for cell in line.split(",")]
        if cells == [""]:
            continue
        if len(cells) < 5 or cells[-2] not in WEATHER:
            raise DataError(
                f"expected name,count,scene,weather,distractor in line {number} of {path}", repr(line)
            )
        name = cells[0].removesuffix(".jpg")
        scene = ", ".join(cells[2:-2])  # a scene may have a comma in it
        labels[name] = {"scene": scene, "weather": WEATHER[cells[-2]], "distractor": cells[-1]}
    return labels
