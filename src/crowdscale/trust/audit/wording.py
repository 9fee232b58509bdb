"""Sentences of an audit: the number, the interval, the method, the limits; the same on every surface."""

from __future__ import annotations

import math
from collections.abc import Sequence

from crowdscale.trust.audit.cells import AuditPhoto
from crowdscale.trust.audit.estimate import AuditEstimate

__all__ = ["LIMITS", "METHOD", "frame_mean", "headline", "interval_text", "next_step"]

METHOD = (
    "Each photo was cut into tiles of about equal predicted people, and tiles were drawn at random from the seed below, "
    "each with a known chance.",
    "People counted all heads in the drawn tiles, without the model's marks before them.",
    "The number is the model's total plus the errors it made in the drawn tiles, each weighted by the inverse of its "
    "chance, so it is unbiased whatever the model does; the interval follows from how much these errors differ, and "
    "leaves room above for photos of which no tile was counted.",
)
"""The method in three sentences."""

LIMITS = (
    "The interval covers the chance of the draw. It holds in about 9 of 10 draws at a level of 90 %.",
    "It does not cover mistakes of people who count: heads that nobody can make out, or that were counted twice.",
    "It counts heads in the photo. People outside the frame or hidden behind others are not in it.",
    "From fewer than 8 tiles the interval is rough. To stop as soon as a wanted width is reached narrows it a little.",
    "A seed that someone chose after seeing several draws is no chance. The default follows from photo and model.",
)
"""Of every audit."""


def interval_text(estimate: AuditEstimate) -> str:
    """Return the interval in whole people, outwards; a sentence's part where there is none."""
    if estimate.low is None or estimate.high is None:
        return "no interval yet"
    if estimate.exact:
        return "exact"
    return f"{math.floor(estimate.low + 1e-9):,}–{math.ceil(estimate.high - 1e-9):,}"


def headline(estimate: AuditEstimate) -> str:
    """Return the result in one sentence."""
    tiles = f"{estimate.audited:,} of {estimate.cells:,} tiles counted by hand"
    number = f"{round(estimate.count):,} people"
    if estimate.exact:
        return f"{number}, exact: all {estimate.cells:,} tiles counted by hand."
    if estimate.audited == 0:
        return f"{number} by the model alone: no tile is counted by hand yet."
    if estimate.low is None:
        return f"{number}, no interval yet: {tiles}."
    width = "" if estimate.half_width is None else f" (±{100 * estimate.half_width:.0f} %)"
    return f"{number}, {100 * estimate.level:g} % interval {interval_text(estimate)}{width}: {tiles}."


def next_step(estimate: AuditEstimate) -> str:
    """Return how many more tiles are worth counting; empty where no more are."""
    if estimate.exact:
        return ""
    if estimate.remaining is None:
        return "Count two tiles or more to get an interval, eight for one to rely on."
    if estimate.remaining == 0:
        return "The interval has reached ±10 %."
    noun = "tile" if estimate.remaining == 1 else "tiles"
    return f"About {estimate.remaining} more {noun} would reach ±10 %."


def frame_mean(estimate: AuditEstimate, photos: Sequence[AuditPhoto]) -> str:
    """Return the mean of a video's frames in one sentence; empty for photos.

    Frames have names of their own and the sha256 of one file.
    """
    if len(photos) < 2 or not photos[0].sha256 or len({photo.sha256 for photo in photos}) > 1:
        return ""
    frames = len(photos)
    ends = ""
    if estimate.low is not None and estimate.high is not None and not estimate.exact:
        ends = f", {100 * estimate.level:g} % interval {estimate.low / frames:,.1f}–{estimate.high / frames:,.1f}"
    return (
        f"The total is over {frames:,} frames: {estimate.count / frames:,.1f} people in the mean frame{ends}."
    )
