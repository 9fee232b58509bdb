"""Draws the reliability diagram of the bundled models: the probability of heads against the share that is right.

Run: ``python -m research.reliability docs/pictures/reliability.png``. It reads the bands that
``crowdscale models calibrate --heads --write`` keeps with each model.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from crowdscale.arrays import Pixels
from crowdscale.drawing.charts import COLOURS, GRID, LETTERS
from crowdscale.drawing.text import PAPER, Colour, blend_text, text_mask
from crowdscale.files.images import write_image
from crowdscale.models.description import read_config
from crowdscale.models.finding import BUNDLED
from crowdscale.trust.confidence import HeadConfidence

__all__ = ["draw_reliability"]

SIDE, LEFT, TOP, SIZE = 560, 120, 40, 22
LOW = 0.5
"""Where both axes begin."""


def draw_reliability(curves: Mapping[str, HeadConfidence]) -> Pixels:
    """Return the diagram of models by name: a mark a band, the diagonal where probability and share are equal."""
    canvas = np.full((TOP + SIDE + 110, LEFT + SIDE + 260, 3), PAPER, np.uint8)
    for share in np.arange(LOW, 1.01, 0.1):
        x, y = _place(share, share)
        cv2.line(canvas, (x, TOP), (x, TOP + SIDE), GRID, 1)
        cv2.line(canvas, (LEFT, y), (LEFT + SIDE, y), GRID, 1)
        _write(canvas, f"{100 * share:.0f} %", x - 24, TOP + SIDE + 10)
        _write(canvas, f"{100 * share:.0f} %", LEFT - 70, y - 14)
    cv2.line(canvas, _place(LOW, LOW), _place(1, 1), LETTERS, 2, cv2.LINE_AA)
    _write(canvas, "probability of heads", LEFT + SIDE // 2 - 100, TOP + SIDE + 50)
    _write(canvas, "share of them that is right", 10, 2)
    for index, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[index]
        marks = [_place(band.probability, band.right) for band in curve.bands]
        cv2.polylines(canvas, [np.array(marks)], False, colour, 2, cv2.LINE_AA)
        for mark in marks:
            cv2.circle(canvas, mark, 6, colour, -1, cv2.LINE_AA)
        y = TOP + 30 + 40 * index
        cv2.circle(canvas, (LEFT + SIDE + 30, y), 7, colour, -1, cv2.LINE_AA)
        _write(canvas, f"{name}: ±{100 * curve.error:.1f} %", LEFT + SIDE + 48, y - 14)
    return canvas


def _place(probability: float, right: float) -> tuple[int, int]:
    scale = SIDE / (1 - LOW)
    return round(LEFT + (probability - LOW) * scale), round(TOP + SIDE - (right - LOW) * scale)


def _write(canvas: Pixels, text: str, left: int, top: int, colour: Colour = LETTERS) -> None:
    blend_text(canvas, text_mask(text, SIZE, canvas.shape[1] - left), left, top, colour)


if __name__ == "__main__":
    configs = {name: read_config(folder, verify=False) for name, folder in sorted(BUNDLED.items())}
    measured = {name: config.confidence for name, config in configs.items() if config.confidence is not None}
    write_image(Path(sys.argv[1]), draw_reliability(measured))
