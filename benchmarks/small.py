"""People counted in small photos: read as they are, and enlarged before the first look.

    python benchmarks/small.py --data sha:PATH --data shb:PATH --only research/lists/validation.txt [--model lite]

The photos are reduced by area to shares of their side, then enlarged (bicubic), and read at that size, with both looks.
At their own size only those below 450,000 pixels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from crowdscale import load
from crowdscale.counting.predictor import PredictOptions
from crowdscale.data.lists import read_list, split_samples
from crowdscale.data.opening import open_dataset
from crowdscale.files.images import Pixels

SHARES = (1.0, 0.7, 0.5, 0.35, 0.25)
FACTORS = (1.0, 1.5, 2.0, 3.0)
SMALL = 450_000


def resized(pixels: Pixels, factor: float) -> Pixels:
    """Return the pixels at another size."""
    if factor == 1:
        return pixels
    size = tuple(max(32, round(side * factor)) for side in pixels.shape[1::-1])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=method))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--only", dest="list", required=True)
    parser.add_argument("--model", default="lite")
    options = parser.parse_args()
    predictor = load(options.model, options=PredictOptions(read_scale=1.0))
    names = read_list(Path(options.list))
    print(f"| photos | {' | '.join(f'× {factor:g}' for factor in FACTORS)} |")
    print(f"|{'---|' * (len(FACTORS) + 1)}")
    for text in options.data:
        samples = split_samples(open_dataset(text).samples, names)[1]
        for share in SHARES:
            photos = [(sample.read(), len(sample.points or ())) for sample in samples]
            if share == 1:
                photos = [(pixels, heads) for pixels, heads in photos if pixels[..., 0].size < SMALL]
            if not photos:
                continue
            cells = []
            for factor in FACTORS:
                errors = [
                    predictor.predict(resized(resized(pixels, share), factor)).count - heads
                    for pixels, heads in photos
                ]
                cells.append(f"{np.abs(errors).mean():.1f} ({np.mean(errors):+.0f})")
            name = text.partition(":")[0]
            print(f"| {name} at {share:g}, {len(photos)} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
