"""Synthetic scenes on disk: each photo with its points beside it, as ``Folder`` reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError, OptionError
from crowdscale.files.images import write_image
from crowdscale.files.writing import write_atomic
from crowdscale.points import Points
from research.synthetic.emptiness import draw_emptiness
from research.synthetic.options import SceneOptions
from research.synthetic.scene import draw_scene

__all__ = ["draw_nobody", "write_scenes"]

Drawing = tuple[NDArray[np.uint8], Points, NDArray[np.float64]]
"""(h, w, 3) RGB pixels, head centres, (n, 2) width and height of each head's box."""

MOST = 9999
"""Scenes of one folder: their numbers have four digits."""

OURS = re.compile(r"scene_\d{4}\.(jpg|csv)")
"""Names that this module writes, and may write over."""


def write_scenes(
    folder: str | Path,
    count: int,
    options: SceneOptions | None = None,
    overwrite: bool = False,
    done: Callable[[int], object] | None = None,
    draw: Callable[[SceneOptions], Drawing] = draw_scene,
) -> list[int]:
    """Write scene_0001.jpg, … and scene_0001.csv, … (columns x,y,width,height of each head) into a folder.

    Scene i is drawn from the options with ``number`` raised by i - 1.

    Args:
        folder: Where to; it is made where it is missing.
        count: How many scenes.
        options: What they are asked to be.
        overwrite: Write into a folder that is not empty; scenes in it give way, other files stay.
        done: Called with the number of people of each scene that was written.
        draw: Draws a scene, such as ``draw_nobody``.

    Returns:
        The number of people in each scene.

    Raises:
        DataError: The folder is a file, or not empty and ``overwrite`` is not set.
        OptionError: ``count`` is out of range.
    """
    if not 1 <= count <= MOST:
        raise OptionError(f"expected from 1 to {MOST} scenes", str(count))
    root, options = Path(folder), options or SceneOptions()
    _check_folder(root, overwrite)
    people = []
    for index in range(count):
        people.append(
            _write(root / f"scene_{index + 1:04d}", draw(replace(options, number=options.number + index)))
        )
        if done is not None:
            done(people[-1])
    for old in sorted(root.iterdir()):
        if OURS.fullmatch(old.name) and int(old.stem[-4:]) > count:
            old.unlink()
    return people


def _check_folder(root: Path, overwrite: bool) -> None:
    if root.exists() and not root.is_dir():
        raise DataError("expected a folder to write scenes into", f"the file {root}", "Name another one")
    if root.is_dir() and not overwrite and any(root.iterdir()):
        held = len(list(root.iterdir()))
        remedy = "Name another one, or add --overwrite (overwrite=True)"
        raise DataError(f"expected a new or empty folder at {root}", f"one with {held} entries", remedy)


def draw_nobody(options: SceneOptions) -> Drawing:
    """Return a picture without people (walls, leaves, patterns, text) of the options' size and seed."""
    pixels = draw_emptiness(options.width, options.height, options.random())
    return pixels, Points(), np.zeros((0, 2))


def _write(stem: Path, drawing: Drawing) -> int:
    """Write one scene; the points go first, for a photo without points is an error and the reverse is not."""
    pixels, points, sizes = drawing
    rows = zip(points.xy.tolist(), sizes.tolist(), strict=True)
    lines = ["x,y,width,height", *(f"{x:.3f},{y:.3f},{w:.3f},{h:.3f}" for (x, y), (w, h) in rows)]
    text = "".join(f"{line}\n" for line in lines).encode()
    write_atomic(stem.with_suffix(".csv"), lambda stream: stream.write(text))
    write_image(stem.with_suffix(".jpg"), pixels)
    return len(points)
