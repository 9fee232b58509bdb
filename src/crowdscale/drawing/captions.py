"""Captions: the count of a photo in words below its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crowdscale.arrays import Pixels
from crowdscale.drawing.text import INK, PAPER, Colour, blend_text, checked_image, text_mask, text_size

if TYPE_CHECKING:
    from datetime import datetime

    from crowdscale.counting.prediction import Prediction

__all__ = ["date_text", "draw_caption", "draw_captions", "people_text", "summary"]

AMBER: Colour = (255, 176, 32)
NOT_USABLE = "do not use this number"
"""Before the count of a photo that is unlike all training photos."""
LOCATED = 0.05
"""Captions mention located heads when they differ from the count by more than this share."""
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def people_text(count: float) -> str:
    """Return a count as ``1 person`` or ``1,234 people``."""
    number = round(count)
    return f"{number:,} {'person' if number == 1 else 'people'}"


def date_text(taken: datetime) -> str:
    """Return when a photo was taken, as ``5 March 2026, 14:05``."""
    return f"{taken.day} {MONTHS[taken.month - 1]} {taken.year}, {taken:%H:%M}"


def summary(prediction: Prediction, taken: datetime | None = None) -> str:
    """Return a prediction in one line, as ``412 people (likely 371–453) · 380 heads marked · 5 March 2026, 14:05``.

    It mentions the marked heads where their number differs from the count by more than a twentieth.
    """
    interval = prediction.interval()
    parts = [] if prediction.usable else [NOT_USABLE]
    parts += [people_text(prediction.count) + (f" (likely {interval})" if interval is not None else "")]
    marked = None if prediction.points is None else len(prediction.points)
    if marked is not None and abs(marked - prediction.count) > max(1, LOCATED * prediction.count):
        parts.append(f"{marked:,} head{'s' * (marked != 1)} marked")
    if taken is not None:
        parts.append(date_text(taken))
    return " · ".join(parts)


def draw_caption(image: Pixels, text: str, colour: Colour = PAPER) -> Pixels:
    """Return the image above a slim dark bar with one line of text: taller, so that nobody is covered."""
    size = text_size(checked_image(image))
    mask = text_mask(text, size, image.shape[1] - size)
    bar = np.full((round(1.25 * size) + max(4, round(0.7 * size)), image.shape[1], 3), INK, np.uint8)
    blend_text(bar, mask, size // 2, (bar.shape[0] - mask.shape[0]) // 2, colour)
    return np.concatenate([image, bar])


def draw_captions(image: Pixels, prediction: Prediction, taken: datetime | None = None) -> Pixels:
    """Return the image above the count and a line for each warning."""
    image = draw_caption(image, summary(prediction, taken))
    for sentence in prediction.warnings:
        image = draw_caption(image, sentence, AMBER)
    return image
