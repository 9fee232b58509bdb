"""Pictures of a study: density levels before and after (Fig. 8), factors, maps beside the truth (Fig. 5 to 7)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from crowdscale.counting.interchange import head_boxes
from crowdscale.counting.prediction import Prediction
from crowdscale.drawing.heads import draw_points, draw_regions, side_by_side
from crowdscale.drawing.heat import draw_heat
from crowdscale.evaluation.regions import RegionRow
from crowdscale.files.images import write_image
from crowdscale.maps import Density, DistanceLabels
from crowdscale.points import Points
from research.reproduce.cells import Cell

__all__ = ["draw_histogram", "draw_levels", "draw_maps", "write_pictures"]

Pixels = NDArray[np.uint8]

INK, PAPER, FAINT = (26, 30, 38), (247, 247, 245), (205, 208, 212)
COLOURS = ((140, 148, 160), (214, 94, 0))
"""Before and after."""
BOX = (90, 200, 250)
DIGITS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8)
BINS, SIZE, FRAME = 24, (1000, 460), (70, 96, 970, 390)


def write_pictures(kinds: Sequence[str], title: str, cells: Sequence[Cell], stem: Path) -> None:
    """Write histograms of the dense regions of a line's cells, as ``STEM-levels.png`` and ``STEM-factors.png``."""
    regions = [region for cell in cells for row in cell.result.rows for region in row.dense]
    if not regions:
        return
    if "levels" in kinds:
        write_image(stem.with_name(f"{stem.name}-levels.png"), draw_levels(regions, title))
    if "factors" in kinds:
        factors = [region.zoom for region in regions]
        note = f"{title}: {len(factors)} dense regions of {len(cells)} networks, each over the test photos"
        drawn = draw_histogram({"regions": factors}, "Side factor r of the second pass", note)
        write_image(stem.with_name(f"{stem.name}-factors.png"), drawn)


def draw_levels(regions: Sequence[RegionRow], name: str) -> Pixels:
    """Return a histogram of the density of regions before and after the zoom, heads in 10,000 square pixels."""
    before = [region.density for region in regions]
    after = [region.density / region.zoom**2 for region in regions]
    spread = " and ".join(f"{_log_spread(values):.2f}" for values in (before, after))
    note = f"{name}: {len(before)} dense regions; spread of the logarithm (base 10): {spread}"
    shown = {"regions as in the photo": before, "regions as enlarged": after}
    return draw_histogram(shown, "Heads in 10,000 square pixels", note)


def draw_histogram(series: Mapping[str, ArrayLike], title: str, note: str = "") -> Pixels:
    """Return a histogram of one or two series over common logarithmic bins, as (h, w, 3) RGB."""
    arrays = {name: np.asarray(values, float) for name, values in series.items()}
    arrays = {name: values[np.isfinite(values) & (values > 0)] for name, values in arrays.items()}
    every = np.concatenate(list(arrays.values()))
    low, high = (float(every.min()), float(every.max())) if len(every) else (1.0, 2.0)
    edges = np.geomspace(low / 1.05, high * 1.05, BINS + 1)
    counts = {name: np.histogram(values, edges)[0] for name, values in arrays.items()}
    top = max(1, *(int(values.max(initial=0)) for values in counts.values()))
    picture = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(picture)
    large, small = ImageFont.load_default(22), ImageFont.load_default(16)
    draw.text((FRAME[0], 16), title, INK, large)
    draw.text((FRAME[0], 48), note, INK, small)
    _bars(draw, list(counts.values()), top)
    for value, x in _ticks(edges[0], edges[-1]):
        label = f"{value:g}"
        draw.line((x, FRAME[3], x, FRAME[3] + 6), INK)
        draw.text((x - draw.textlength(label, small) / 2, FRAME[3] + 10), label, INK, small)
    for index, name in enumerate(arrays):
        left = FRAME[0] + index * 260
        draw.rectangle((left, 426, left + 18, 444), COLOURS[index - len(arrays)])
        draw.text((left + 26, 426), name, INK, small)
    draw.text((16, FRAME[1] - 10), f"{top}", INK, small)
    return np.asarray(picture)


def _ticks(low: float, high: float) -> list[tuple[float, float]]:
    """Return round values on the logarithmic axis with their places, at least 60 pixels apart."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[tuple[float, float]] = []
    for value in (round(digit * 10.0**decade, 9) for decade in decades for digit in DIGITS):
        x = FRAME[0] + math.log(value / low) / math.log(high / low) * (FRAME[2] - FRAME[0])
        if low <= value <= high and (not ticks or x - ticks[-1][1] >= 60):
            ticks.append((value, x))
    if len(ticks) < 2:  # a narrow range without two round values
        ticks = [(float(f"{low:.3g}"), FRAME[0]), (float(f"{high:.3g}"), FRAME[2])]
    return ticks


def _bars(draw: ImageDraw.ImageDraw, counts: Sequence[NDArray[np.int64]], top: int) -> None:
    """Draw the bars of each series side by side within its bin."""
    left, upper, right, base = FRAME
    draw.line((left, base, right, base), FAINT, 2)
    draw.line((left, upper, left, base), FAINT, 2)
    step = (right - left) / BINS
    wide = (step - 4) / len(counts)
    for place, values in enumerate(counts):
        for index, value in enumerate(values):
            x = left + index * step + 2 + place * wide
            if value:
                tall = (base - upper) * value / top
                draw.rectangle((x, base - tall, x + wide - 1, base), COLOURS[place - len(counts)])


def draw_maps(
    pixels: Pixels,
    truth: Points,
    baseline: Prediction,
    refined: Prediction | None,
    codec: Density | DistanceLabels,
) -> Pixels:
    """Return the truth beside the predictions of baseline and AutoScale, with the enlarged region.

    Located heads are drawn with boxes, with label maps below; densities as heat.

    Args:
        pixels: (h, w, 3) RGB.
        truth: Its heads.
        baseline: The baseline's prediction.
        refined: AutoScale's prediction; None leaves it out.
        codec: The codec of the networks' map.
    """
    predictions = [each for each in (baseline, refined) if each is not None]
    shown = [_draw_heads(pixels, truth) if baseline.points is not None else draw_heat(pixels, truth)]
    shown += [_draw_prediction(pixels, each) for each in predictions]
    counts = (len(truth), *(each.count for each in predictions))
    titles = [
        f"{name} {count:,.0f}"
        for name, count in zip(("truth", "baseline", "AutoScale"), counts, strict=False)
    ]
    picture = side_by_side(shown, titles)
    maps = [each.map for each in predictions if each.map is not None]
    if not codec.labelled or len(maps) < len(predictions):
        return picture
    return np.vstack([picture, _draw_label_maps(pixels, truth, maps, cast(DistanceLabels, codec), titles)])


def _draw_label_maps(
    pixels: Pixels, truth: Points, maps: Sequence[NDArray[Any]], codec: DistanceLabels, titles: Sequence[str]
) -> Pixels:
    """Return the true label map beside predicted ones."""
    height, width = pixels.shape[:2]
    true = np.asarray(codec.encode(truth, width, height))
    below = [_draw_labels(each, codec, width, height) for each in (true, *maps)]
    return side_by_side(below, [f"labels, {title.split()[0]}" for title in titles])


def _draw_prediction(pixels: Pixels, prediction: Prediction) -> Pixels:
    """Return the photo with a prediction's heads, or heat of its density, and its regions."""
    heads = prediction.points
    drawn = _draw_heads(pixels, heads) if heads is not None else draw_heat(pixels, _people(prediction))
    return draw_regions(drawn, prediction.regions)


def _draw_heads(pixels: Pixels, heads: Points) -> Pixels:
    """Return the photo with a mark and a box for each head; the distances of neighbours give the box its size."""
    height, width = pixels.shape[:2]
    drawn = draw_points(pixels, heads)
    for box in np.rint(head_boxes(heads, (width, height))).astype(int).tolist():
        cv2.rectangle(drawn, box[:2], box[2:], BOX, max(1, round(width / 1200)))
    return drawn


def _draw_labels(labels: NDArray[Any], codec: DistanceLabels, width: int, height: int) -> Pixels:
    """Return a label map as a picture of the photo's size, light at heads and dark far from them."""
    light = 255 * (1 - labels.astype(np.float32) / codec.background)
    sized = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(
        cv2.applyColorMap(np.rint(sized.clip(0, 255)).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    )


def _people(prediction: Prediction) -> Points | NDArray[np.float32]:
    if prediction.density is not None:
        return prediction.density
    return Points()


def _log_spread(values: ArrayLike) -> float:
    positive = np.asarray(values, float)
    positive = positive[np.isfinite(positive) & (positive > 0)]
    return float(np.log10(positive).std()) if len(positive) else float("nan")
