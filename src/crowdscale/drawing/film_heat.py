"""Heat of a film: where people were, on average, over the mean frame, with a legend."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.arrays import Maps, Pixels
from crowdscale.drawing.captions import draw_caption
from crowdscale.drawing.heat import HeatScale, draw_legend, heat_density, paint_heat
from crowdscale.errors import OptionError
from crowdscale.files.images import resize_image
from crowdscale.points import Points

__all__ = ["FilmHeat", "film_scale"]

SIDE = 1280
"""Longest side in pixels of the picture."""
SHARE = 0.01
"""Part of the frame for which the scale gives the people."""
LEAST = 1e-6
"""People on that part below which a frame is empty."""


class FilmHeat:
    """People per area, averaged over the frames of a film; its memory does not grow."""

    def __init__(self) -> None:
        self.frames = 0
        self._light: Maps | None = None
        self._heat: Maps | None = None

    def add(self, pixels: Pixels, people: Points | NDArray[Any]) -> None:
        """Take in a frame.

        Args:
            pixels: (h, w, 3) RGB; frames of another shape than the first are stretched to it.
            people: Heads in pixels of the frame, or its (h', w') density map.
        """
        height, width = pixels.shape[:2]
        factor = min(1.0, SIDE / max(height, width))
        small = resize_image(pixels, max(1, round(width * factor)), max(1, round(height * factor)))
        heat = heat_density(people, width, height)
        if self._light is None or self._heat is None:
            self._light, self._heat = np.zeros(small.shape, np.float32), np.zeros(heat.shape, np.float32)
        if small.shape != self._light.shape:
            small = resize_image(small, self._light.shape[1], self._light.shape[0])
            sum_before = heat.sum()
            size = self._heat.shape[1], self._heat.shape[0]
            heat = np.asarray(cv2.resize(heat, size, interpolation=cv2.INTER_AREA), np.float32)
            heat *= sum_before / max(float(heat.sum()), 1e-12)
        self.frames += 1
        self._light += (small - self._light) / self.frames
        self._heat += (heat - self._heat) / self.frames

    def draw(self, caption: str = "") -> Pixels:
        """Return the mean frame under the mean heat, above a legend in people on 1 % of the frame, and a caption.

        Raises:
            OptionError: No frame was taken in.
        """
        if self._light is None or self._heat is None:
            raise OptionError("expected frames for a heat picture", "none")
        picture = np.rint(self._light).astype(np.uint8)
        values = np.float32(SHARE * self._heat.size) * self._heat
        if not values.max() > LEAST:
            return draw_caption(picture, caption or "Nobody was located in these frames.")
        scale = film_scale(float(values.max()))
        heat = draw_legend(paint_heat(picture, values, scale), scale)
        return draw_caption(heat, caption) if caption else heat


def film_scale(most: float) -> HeatScale:
    """Return the scale of a film whose hottest place has ``most`` people: it spans one and a half decades.

    A film's heat is a mean over time, which passers-by of a minute and a crowd of an hour share. So the scale follows it.
    """
    series = [float(f"{part}e{power}") for power in range(-7, 7) for part in (1, 3)]
    last = next(place for place, number in enumerate(series) if number >= 0.999 * most)
    ticks = series[last - 3 : last + 1]
    return HeatScale("people in each 1 % of the frame, on average", tuple(ticks))
