"""Counting errors over several looks at each held-out photo, where chance of a single look weighs less.

    python benchmarks/looks.py lite OTHER --data sha:PATH --data shb:PATH --only research/lists/validation.txt \\
        [--gain 1.15 --enlarge-below 300000]

Each photo is counted as it is, mirrored, at 0.75 of its side, and mirrored at 1.3 of it. Mean absolute errors over the photos and
looks, of each data set and of all photos, refined and by the first look; then how the models' errors on the photos as they are
correlate, and the error of their mean count over all looks. ``--gain`` and ``--enlarge-below`` stand in place of the models' own.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale import Predictor
from crowdscale.backends import open_backend
from crowdscale.data.lists import read_list, split_samples
from crowdscale.data.opening import open_dataset
from crowdscale.files.images import Pixels
from crowdscale.models.description import read_config
from crowdscale.models.finding import find_model

LOOKS = ((1.0, False), (1.0, True), (0.75, False), (1.3, True))
"""Side factor, and whether the photo is mirrored."""

Errors = NDArray[np.float64]


def seen(pixels: Pixels, factor: float, mirrored: bool) -> Pixels:
    """Return a photo as one of the looks sees it."""
    if mirrored:
        pixels = pixels[:, ::-1]
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(pixels), None, fx=factor, fy=factor, interpolation=method)
    return np.asarray(resized, np.uint8)


def open_model(name: str, gain: float | None, enlarge_below: int | None) -> Predictor:
    """Return a predictor of the model, read with another gain or limit where one is given."""
    folder = find_model(name)
    config = read_config(folder)
    if gain is not None:
        config = replace(config, zoom=replace(config.zoom, gain=gain))
    if enlarge_below is not None:
        config = replace(config, enlarge_below=enlarge_below)
    return Predictor(open_backend("onnx", folder, config, threads=1), config)


def errors_of(predictor: Predictor, samples: list[Any]) -> Errors:
    """Return the (photos, looks, 2) errors of the first and the final count."""
    rows = []
    for sample in samples:
        pixels, heads = sample.read(), len(sample.points or ())
        known = [predictor.predict(seen(pixels, *look)) for look in LOOKS]
        rows.append([[each.first_pass_count - heads, each.count - heads] for each in known])
    return np.array(rows, float)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+")
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--only", dest="list", required=True)
    parser.add_argument("--gain", type=float)
    parser.add_argument("--enlarge-below", type=int)
    options = parser.parse_args()
    names = read_list(Path(options.list))
    sets = [
        (text.split(":")[0], split_samples(open_dataset(text).samples, names)[1]) for text in options.data
    ]
    print(f"| model | MAE | {' | '.join(name for name, _ in sets)} | first look |")
    print(f"|{'---|' * (len(sets) + 3)}")
    final: list[Errors] = []
    for name in options.models:
        predictor = open_model(name, options.gain, options.enlarge_below)
        parts = [errors_of(predictor, samples) for _, samples in sets]
        whole = np.concatenate(parts)
        apart = " | ".join(f"{np.abs(part[..., 1]).mean():.1f}" for part in parts)
        first, last = np.abs(whole).mean((0, 1))
        print(f"| {name} | {last:.1f} | {apart} | {first:.1f} |", flush=True)
        final.append(whole[..., 1])
    if len(final) > 1:
        ends = np.cumsum([len(samples) for _, samples in sets])[:-1]
        for (name, _), part in zip(sets, np.split(np.stack(final), ends, axis=1), strict=True):
            print(f"{name}: correlation of errors {np.corrcoef(part[:, :, 0]).round(3).tolist()}")
        print(f"mean of all models' counts: {np.abs(np.mean(final, axis=0)).mean():.1f}")


if __name__ == "__main__":
    main()
