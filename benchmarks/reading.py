"""Training crops a second with two workers: ours against a plain loader on PIL.

    python benchmarks/reading.py SHANGHAITECH [--crops 1600] [--batch 8]

Both cut 256-pixel crops of part A's training photos at a random scale with a flip. The plain loader opens
the JPEG with PIL for each crop and resizes with PIL, as most repositories do, and encodes no target; ours holds
decoded photos and also makes the label map and the block counts. Ours is measured without preloading, too.
"""

from __future__ import annotations

import argparse
import platform
import time
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from crowdscale.data import ShanghaiTech
from crowdscale.learn.crops.batches import collate
from crowdscale.learn.crops.transforms import CropOptions, Crops
from crowdscale.maps import DistanceLabels

CROP = 256


class Plain(Dataset[torch.Tensor]):
    """A photo opened, cut, resized and flipped with PIL for each crop."""

    def __init__(self, samples: list[Any], length: int) -> None:
        self.samples, self.length = samples, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> torch.Tensor:
        random = np.random.default_rng(index)
        image = Image.open(self.samples[int(random.integers(len(self.samples)))].image_path).convert("RGB")
        window = round(CROP / random.uniform(0.7, 1.4))
        left, top = (int(random.integers(0, max(1, side - window + 1))) for side in image.size)
        part = image.crop((left, top, left + window, top + window)).resize(
            (CROP, CROP), Image.Resampling.BILINEAR
        )
        if random.random() < 0.5:
            part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return torch.from_numpy(np.asarray(part).copy())


def rate(loader: DataLoader[Any]) -> float:
    """Crops a second, the start of the workers left aside."""
    batches = iter(loader)
    next(batches)
    start = time.perf_counter()
    number = sum(1 for _ in batches)
    return number * (loader.batch_size or 1) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root")
    parser.add_argument("--crops", type=int, default=1600)
    parser.add_argument("--batch", type=int, default=8)
    known = parser.parse_args()
    samples = ShanghaiTech(known.root).samples
    options, weights = CropOptions(crop=CROP), [1.0] * len(samples)
    collated = collate(DistanceLabels())

    def ours(preload: bool) -> DataLoader[Any]:
        crops = Crops(samples, weights, options, known.crops, 0, preload)
        return DataLoader(crops, known.batch, num_workers=2, collate_fn=collated)

    loaders = {
        "plain PIL, no target": DataLoader(Plain(samples, known.crops), known.batch, num_workers=2),
        "ours with targets, photos held": ours(True),
        "ours with targets, photos read for each crop": ours(False),
    }
    rates = {name: rate(loader) for name, loader in loaders.items()}
    base = rates["plain PIL, no target"]
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, 2 workers\n")
    print("| loader | crops a second | ratio |\n|---|---|---|")
    for name, value in rates.items():
        print(f"| {name} | {value:.0f} | {value / base:.2f} |")


if __name__ == "__main__":
    main()
