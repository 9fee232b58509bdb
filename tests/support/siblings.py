"""Files beside a photo, and what is read of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crowdscale.data.conversion import open_source
from crowdscale.errors import CrowdscaleError
from tests.support.layouts import write_photo

Heads = list[tuple[float, float]]


def read(
    root: Path, files: dict[str, str | bytes], photos: tuple[str, ...] = ("a.jpg",)
) -> dict[str, Heads] | str:
    """Return the heads of each photo after writing files beside it, or the refusal."""
    for photo in photos:
        write_photo(root / photo, (400, 300))
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    try:
        samples, _ = open_source(str(root))
    except CrowdscaleError as error:
        return str(error)
    return {
        s.name: [tuple(xy) for xy in np.round(s.points.xy, 2).tolist()]
        for s in samples
        if s.points is not None
    }


def check(answer: dict[str, Heads] | str, right: Heads | str) -> None:
    if isinstance(right, str):
        assert isinstance(answer, str), answer
        assert right in answer
    else:
        assert answer == {"a": right}
