"""Trails: where the followed people of a film just came from, as short lines that fade."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.arrays import Floats, Pixels
from crowdscale.drawing.text import INK, Colour, checked_image

__all__ = ["Trails"]

Integers = NDArray[np.int64]
Place = tuple[float, float, float]
"""Seconds, and (x, y) as shares of the frame's width and height."""

TAIL = 2.0
"""Seconds of a person's way that are shown."""
MOST = 64
"""Places of a trail that are kept: of 25 frames a second all."""
AGES = (0.25, 0.5, 0.8)
"""Opacity of the oldest, the middle and the newest third of a trail."""
COLOURS: tuple[Colour, ...] = (
    (255, 120, 90), (90, 200, 255), (150, 235, 120), (255, 130, 220), (255, 190, 60), (170, 150, 255),
)  # fmt: skip
"""Of the tracks by turns, bright on streets: two neighbours seldom have the same."""
THIN, ROOM = 1.0, 0.0022
"""Least width in pixels of a line, and its width over the side of the picture."""
SHIFT = 4
"""Bits of a pixel's fraction in OpenCV's lines."""


@dataclass
class Trails:
    """The last ways of those who are followed; who is not seen for ``TAIL`` seconds is forgotten."""

    _ways: dict[int, deque[Place]] = field(default_factory=dict)
    _time: float = 0.0

    def take(self, xy: Floats, ids: Integers, time: float, size: tuple[int, int]) -> None:
        """Take in a frame.

        Args:
            xy: (n, 2) heads in pixels.
            ids: (n,) track numbers.
            time: Seconds.
            size: (width, height) of the frame.
        """
        if time < self._time:
            self._ways.clear()
        self._time = time
        for track, (x, y) in zip(ids.tolist(), (xy / size).tolist(), strict=True):
            self._ways.setdefault(track, deque(maxlen=MOST)).append((time, x, y))
        for track in [each for each, way in self._ways.items() if time - way[-1][0] > TAIL]:
            del self._ways[track]

    def draw(self, image: Pixels) -> Pixels:
        """Return the image with each trail in the colour of its track, fading towards its old end."""
        height, width = checked_image(image).shape[:2]
        line = max(1, round(THIN + ROOM * float(np.sqrt(height * width)) / 2))
        scale = np.array((width, height), float)
        canvas = image
        for age, opacity in enumerate(AGES):
            layer, drawn = canvas.copy(), False
            for track, way in self._ways.items():
                points = self._part(way, age)
                if len(points) > 1:
                    corners = np.rint((np.array(points) * scale) * 2**SHIFT).astype(np.int32)
                    for colour, thick in ((INK, line + 2), (COLOURS[track % len(COLOURS)], line)):
                        cv2.polylines(layer, [corners], False, colour, thick, cv2.LINE_AA, SHIFT)
                    drawn = True
            if drawn:
                canvas = np.asarray(cv2.addWeighted(layer, opacity, canvas, 1 - opacity, 0), np.uint8)
        return canvas

    def _part(self, way: deque[Place], age: int) -> list[tuple[float, float]]:
        """Return the places of one third of a way, with the one before: thirds touch."""
        since = self._time - TAIL * (1 - age / len(AGES))
        until = since + TAIL / len(AGES)
        places = list(way)
        inside = [n for n, place in enumerate(places) if since <= place[0] < until + 1e-9]
        if not inside:
            return []
        return [place[1:] for place in places[max(0, inside[0] - 1) : inside[-1] + 1]]
