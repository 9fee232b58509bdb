"""Counts over time as a picture: lines with legible axes, drawn with the package's own letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdscale.drawing.text import Colour, blend_text, text_mask
from crowdscale.errors import OptionError

__all__ = ["plot_counts", "round_ticks", "time_label", "time_ticks"]

Pixels = NDArray[np.uint8]

BACKGROUND: Colour = (255, 255, 255)
GRID: Colour = (226, 229, 235)
LETTERS: Colour = (60, 64, 72)
COLOURS: tuple[Colour, ...] = (
    (31, 119, 180), (214, 94, 0), (0, 140, 105), (188, 70, 140), (140, 110, 20), (90, 90, 200), (120, 120, 120),
)  # fmt: skip
"""Colours of the lines, distinct for colour-blind eyes (after Okabe and Ito), darkened for thin lines on white."""
SIZE = 22
"""Of the letters in pixels."""
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""Seconds between the ticks of time, as clocks have them."""
MOST_POINTS = 4000
"""Samples a line; more are drawn as the extremes of equal parts, so that no peak is lost."""


def plot_counts(
    times: ArrayLike,
    series: Mapping[str, ArrayLike],
    title: str = "",
    faint: Sequence[str] = (),
    width: int = 1400,
    height: int = 640,
    bands: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
) -> Pixels:
    """Return a picture of counts over time.

    Args:
        times: (n,) seconds, ascending.
        series: (n,) counts by name; NaN leaves a gap.
        title: Above the picture.
        faint: Names of lines that are drawn thin and pale: raw counts behind smoothed ones.
        width: Of the picture in pixels.
        height: Of the picture in pixels.
        bands: (n,) low and high ends of intervals by the name of their line, drawn pale behind it; NaN leaves a gap.

    Raises:
        OptionError: There is nothing to draw, or a line has another length than the times.
    """
    seconds, lines = _checked_lines(times, series)
    canvas = np.full((height, width, 3), BACKGROUND, np.uint8)
    ends = {
        name: (np.asarray(low, float), np.asarray(high, float)) for name, (low, high) in (bands or {}).items()
    }
    tops = [*lines.values(), *(high for _, high in ends.values())]
    top = float(np.nanmax([np.nanmax(np.append(line, 0)) for line in tops]))
    ticks = round_ticks(max(top, 1.0))
    left = 30 + max(text_mask(f"{tick:,g}", SIZE, width).shape[1] for tick in ticks)
    frame = (left, 70 if title else 30, width - 30, height - 60 - 34 * _legend_rows(list(lines), left, width))
    _axes(canvas, frame, ticks, float(seconds[0]), float(seconds[-1]))
    for index, name in enumerate(lines):
        if name in ends:
            _band(canvas, frame, seconds, *ends[name], float(ticks[-1]), _pale(COLOURS[index % len(COLOURS)]))
    for index, (name, line) in enumerate(lines.items()):
        colour = COLOURS[index % len(COLOURS)]
        thin = name in faint
        shade = _pale(colour) if thin else colour
        _line(canvas, frame, seconds, line, float(ticks[-1]), shade, 1 if thin else 3)
    _legend(canvas, list(lines), faint, left, frame[3] + 52)
    if title:
        _write(canvas, title, left, 18, 26)
    return canvas


def _checked_lines(
    times: ArrayLike, series: Mapping[str, ArrayLike]
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Return times and lines as arrays. Raises OptionError where there are none, or their lengths differ."""
    seconds = np.asarray(times, float)
    lines = {name: np.asarray(values, float) for name, values in series.items()}
    if not lines or seconds.size == 0 or any(line.shape != seconds.shape for line in lines.values()):
        raise OptionError(
            "expected times and as many counts in each line", f"{seconds.size} times, {len(lines)} lines"
        )
    return seconds, lines


def _pale(colour: Colour) -> Colour:
    """Return a colour mixed with white."""
    red, green, blue = (round(255 - (255 - part) * 0.4) for part in colour)
    return red, green, blue


def round_ticks(top: float) -> NDArray[np.float64]:
    """Return about five round numbers from 0 to at least ``top``."""
    rough = top / 5
    power = 10.0 ** np.floor(np.log10(rough))
    steps = (1, 2, 5, 10) if power < 10 else (1, 2, 2.5, 5, 10)
    step = max(1.0, next(f * power for f in steps if f * power >= rough * 0.999))  # people are whole
    return np.asarray(np.arange(0, np.ceil(top / step - 1e-9) + 1) * step, float)


def time_ticks(start: float, stop: float, most: int = 9) -> list[float]:
    """Return at most ``most`` times in seconds between start and stop, at steps that clocks have."""
    step = next(
        (s for s in STEPS if (stop - start) / s < most), 86_400 * (1 + int((stop - start) / 86_400 / most))
    )
    return [float(tick) for tick in np.arange(np.ceil(start / step) * step, stop + 1e-6, step)]


def time_label(seconds: float, span: float) -> str:
    """Return a time as 40 s, 3:20 or 1:03:20, by the span of the whole axis."""
    whole = round(seconds)
    if span < 120:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if span >= 3600 else f"{minutes}:{whole % 60:02d}"


def _axes(
    canvas: Pixels, frame: tuple[int, int, int, int], ticks: NDArray[np.float64], start: float, stop: float
) -> None:
    left, top, right, bottom = frame
    for tick in ticks:
        y = round(bottom - (bottom - top) * tick / ticks[-1])
        cv2.line(canvas, (left, y), (right, y), GRID, 1)
        mask = text_mask(f"{tick:,g}", SIZE, left)
        blend_text(canvas, mask, left - 12 - mask.shape[1], y - mask.shape[0] // 2, LETTERS)
    for tick in time_ticks(start, stop):
        x = round(left + (right - left) * (tick - start) / max(stop - start, 1e-9))
        cv2.line(canvas, (x, bottom), (x, bottom + 6), LETTERS, 1)
        mask = text_mask(time_label(tick, stop - start), SIZE, right)
        place = min(max(0, x - mask.shape[1] // 2), canvas.shape[1] - mask.shape[1])
        blend_text(canvas, mask, place, bottom + 10, LETTERS)
    cv2.line(canvas, (left, bottom), (right, bottom), LETTERS, 1)


def _line(
    canvas: Pixels,
    frame: tuple[int, int, int, int],
    seconds: NDArray[np.float64],
    counts: NDArray[np.float64],
    highest: float,
    colour: Colour,
    thickness: int,
) -> None:
    left, top, right, bottom = frame
    seconds, counts = _thinned(seconds, counts)
    span = max(float(seconds[-1] - seconds[0]), 1e-9)
    x = left + (right - left) * (seconds - seconds[0]) / span
    y = bottom - (bottom - top) * counts / highest
    finite = np.isfinite(y)
    for run in np.split(np.arange(len(x)), np.nonzero(~finite)[0]):
        kept = run[finite[run]]
        at = np.rint(np.stack([x[kept], y[kept]], axis=1) * 16).astype(np.int32)
        if len(at) == 1:
            cv2.circle(
                canvas, (int(at[0, 0]), int(at[0, 1])), 16 * (thickness + 1), colour, -1, cv2.LINE_AA, 4
            )
        elif len(at):
            cv2.polylines(canvas, [at], False, colour, thickness, cv2.LINE_AA, 4)


def _band(
    canvas: Pixels,
    frame: tuple[int, int, int, int],
    seconds: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    highest: float,
    colour: Colour,
) -> None:
    """Fill between two lines, run by run where both are finite; a lone sample gets a bar."""
    left, top, right, bottom = frame
    span = max(float(seconds[-1] - seconds[0]), 1e-9)
    x = left + (right - left) * (seconds - seconds[0]) / span
    lower, upper = (bottom - (bottom - top) * ends / highest for ends in (low, high))
    finite = np.isfinite(lower) & np.isfinite(upper)
    for run in np.split(np.arange(len(x)), np.nonzero(~finite)[0]):
        kept = run[finite[run]]
        if len(kept):
            wide = np.array([-3.0, 3.0]) if len(kept) == 1 else np.zeros(1)
            across = (x[kept][:, None] + wide).ravel()
            there = np.column_stack([across, np.repeat(upper[kept], len(wide))])
            back = np.column_stack([across, np.repeat(lower[kept], len(wide))])[::-1]
            ring = np.rint(np.concatenate([there, back]) * 16).astype(np.int32)
            cv2.fillPoly(canvas, [ring], colour, cv2.LINE_AA, 4)


def _thinned(
    seconds: NDArray[np.float64], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Keep the lowest and the highest of each of equal parts where there are more samples than pixels."""
    if len(seconds) <= MOST_POINTS:
        return seconds, counts
    kept = set()
    for part in np.array_split(np.arange(len(seconds)), MOST_POINTS // 2):
        values = np.nan_to_num(counts[part], nan=-1.0)
        kept |= {int(part[values.argmin()]), int(part[values.argmax()])}
    order = np.array(sorted(kept))
    return seconds[order], counts[order]


def _legend_places(names: list[str], left: int, width: int) -> list[tuple[int, int]]:
    """Return the (x, row) of each name."""
    places, x, row = [], left, 0
    for name in names:
        needed = 60 + text_mask(name, SIZE, width).shape[1]
        if x + needed > width and x > left:
            x, row = left, row + 1
        places.append((x, row))
        x += needed
    return places


def _legend_rows(names: list[str], left: int, width: int) -> int:
    return _legend_places(names, left, width)[-1][1] + 1


def _legend(canvas: Pixels, names: list[str], faint: Sequence[str], left: int, top: int) -> None:
    for index, (name, (x, row)) in enumerate(
        zip(names, _legend_places(names, left, canvas.shape[1]), strict=True)
    ):
        y = top + 34 * row
        cv2.line(canvas, (x, y), (x + 26, y), COLOURS[index % len(COLOURS)], 1 if name in faint else 4)
        _write(canvas, name, x + 34, y - 13, SIZE)


def _write(canvas: Pixels, text: str, left: int, top: int, size: int) -> None:
    blend_text(canvas, text_mask(text, size, canvas.shape[1] - left), left, top, LETTERS)
