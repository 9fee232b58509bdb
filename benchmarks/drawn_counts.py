"""Heads that a model locates in the frames of drawn films, kept in a folder: a film is drawn and counted once for all rates.

A film has 25 frames a second. Ten or five a second are frames of the same film, as ``watch --every`` takes them. Each frame is
written as it is counted, so that a run that was stopped goes on.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.counting.predictor import PredictOptions, load
from crowdscale.points import Points
from crowdscale.video.frame import Frame, sample
from research.synthetic.moving import MovingFrame, moving_frames
from research.synthetic.options import SceneOptions

__all__ = ["FILM_RATE", "CountedFrame", "Film", "counted_frames", "sampled_numbers"]

FILM_RATE = 25
"""Frames a second of a film."""
NOTHING = np.zeros((0, 0, 3), np.uint8)
"""Pixels of a frame that nobody looks at."""


@dataclass(frozen=True)
class Film:
    """A drawn film."""

    people: int
    """In the scene; a hidden head is not in the frame."""
    size: tuple[int, int]
    """(width, height) of a frame."""
    seed: int = 5

    @property
    def scene(self) -> SceneOptions:
        """The scene."""
        return SceneOptions(
            width=self.size[0], height=self.size[1], people=(self.people, self.people), seed=self.seed,
            heads=(9.0, 60.0),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class CountedFrame:
    """A frame with its located and its true heads."""

    time: float
    located: Points
    true: Points
    identities: NDArray[np.int64]
    everyone: Points
    """Hidden heads too."""
    everyone_identities: NDArray[np.int64]
    count_ms: float
    """CPU time of the count."""


def sampled_numbers(rate: float, seconds: float) -> list[int]:
    """Return the numbers of the frames that ``watch --every`` takes at ``rate`` frames a second."""
    film = (Frame(number, number / FILM_RATE, NOTHING) for number in range(round(seconds * FILM_RATE) + 1))
    return [frame.index for frame in sample(film, 1 / rate)]


def counted_frames(film: Film, numbers: Collection[int], model: str, folder: Path) -> Iterator[CountedFrame]:
    """Yield the frames of a film, counted now or by an earlier run.

    Args:
        film: What is drawn.
        numbers: Of the frames, rising.
        model: Name or path.
        folder: Keeps the counts; other weights have another folder in it.
    """
    predictor = load(model, threads=1, options=PredictOptions(keep_map=False))
    weights = predictor.config.files["network.onnx"]
    place = folder / f"{weights[:12]}-{film.people}-{film.size[0]}x{film.size[1]}-{film.seed}"
    place.mkdir(parents=True, exist_ok=True)
    paths = {number: place / f"{number:05}.npz" for number in numbers}
    missing = {number for number, path in paths.items() if not path.exists()}
    drawn = moving_frames(film.scene, FILM_RATE, max(missing, default=-1) + 1, missing)
    for number, path in paths.items():
        if number in missing:
            _write(path, next(drawn), predictor)
        yield _read(path, number / FILM_RATE)


def _write(path: Path, frame: MovingFrame, predictor: Any) -> None:
    """Count a frame and keep its heads."""
    begin = time.process_time()
    points = predictor.predict(frame.pixels).points
    spent = 1000 * (time.process_time() - begin)
    part = path.with_suffix(".part.npz")
    np.savez_compressed(
        part, located=points.xy, confidence=points.confidence, true=frame.points.xy, identities=frame.identities,
        everyone=frame.everyone.xy, everyone_identities=frame.everyone_identities, count_ms=spent,
    )  # fmt: skip
    part.rename(path)


def _read(path: Path, at: float) -> CountedFrame:
    with np.load(path) as kept:
        return CountedFrame(
            at, Points(kept["located"], kept["confidence"]), Points(kept["true"]), kept["identities"],
            Points(kept["everyone"]), kept["everyone_identities"], float(kept["count_ms"]),
        )  # fmt: skip
