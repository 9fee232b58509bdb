"""What a model says of changed validation photos and of drawn pictures without people: counts and warnings.

    python benchmarks/robustness.py --data sha:ShanghaiTech --data shb:ShanghaiTech --only research/lists/validation.txt

Every second photo of the list, darkened, blurred, reduced, enlarged and turned; ten drawn pictures of each kind, seed 0;
twelve drawn streets with nobody; and all photos of the list at each turn. The people counted are their sum over that of the true heads.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

import crowdscale
from crowdscale.data.lists import read_list, split_samples
from crowdscale.data.opening import open_dataset
from crowdscale.data.sample import Sample
from crowdscale.files.images import Pixels
from crowdscale.trust.profile import TURNED
from crowdscale.trust.upright import TURNS
from research.synthetic import EMPTINESS, SceneOptions, draw_emptiness, draw_scene

GAMMA = 2.2
"""Of the photo's values; light is taken off what they stand for."""


def darkened(share: float) -> Callable[[Pixels], Pixels]:
    return lambda p: np.rint(255 * ((p / 255) ** GAMMA * share) ** (1 / GAMMA)).astype(np.uint8)


def blurred(sigma: float) -> Callable[[Pixels], Pixels]:
    return lambda p: cv2.GaussianBlur(p, (0, 0), sigma)


def reduced(factor: float) -> Callable[[Pixels], Pixels]:
    return lambda p: cv2.resize(p, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def enlarged(pixels: Pixels) -> Pixels:
    """The middle third, three times as large: there is no count to compare with."""
    height, width = pixels.shape[:2]
    middle = pixels[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3]
    return cv2.resize(middle, (width, height), interpolation=cv2.INTER_CUBIC)


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "as they are": lambda p: p,
    "1/50 of the light": darkened(1 / 50),
    "1/200 of the light": darkened(1 / 200),
    "blurred by 2 px": blurred(2),
    "blurred by 4 px": blurred(4),
    "reduced to a half": reduced(1 / 2),
    "reduced to a quarter": reduced(1 / 4),
    "middle enlarged 3 times": enlarged,
    "turned by 90°": lambda p: np.ascontiguousarray(np.rot90(p)),
    "upside down": lambda p: np.ascontiguousarray(p[::-1, ::-1]),
}


def told_turned(predictor: crowdscale.Predictor, samples: list[Sample]) -> None:
    """Print for how many photos, at each turn, the warning says how to turn them back."""
    print(
        "\n| all photos of the list, turned counter-clockwise by | told how to turn it | told another turn |\n|---|---|---|"
    )
    for turn in (0, *TURNS):
        back, right, wrong = -turn % 4, 0, 0
        for sample in samples:
            said = predictor.predict(np.ascontiguousarray(np.rot90(sample.read(), turn))).warnings
            right += bool(back) and f"{TURNED[back]}." in said
            wrong += any(f"{TURNED[other]}." in said for other in TURNS if other != back)
        print(f"| {90 * turn}° | {right} of {len(samples)} | {wrong} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--only", dest="list", type=Path, required=True)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    predictor = crowdscale.load(options.model, threads=options.threads)
    names = read_list(options.list)
    kept = [s for text in options.data for s in split_samples(open_dataset(text).samples, names)[1]]
    chosen = kept[::2]
    people = sum(len(sample.points or ()) for sample in chosen)
    print("| photos | warned of | counted, % of the heads |\n|---|---|---|")
    for name, change in CHANGES.items():
        found = [predictor.predict(change(sample.read())) for sample in chosen]
        share = "–" if change is enlarged else f"{100 * sum(each.count for each in found) / people:.0f}"
        print(
            f"| {name} | {sum(bool(each.warnings) for each in found)} of {len(found)} | {share} |", flush=True
        )
    told_turned(predictor, kept)
    print("\n| drawn, nobody | warned of | people: mean, most |\n|---|---|---|")
    random = np.random.default_rng(0)
    pictures = {kind: [draw_emptiness(1024, 768, random, kind) for _ in range(10)] for kind in EMPTINESS}
    pictures["street"] = [draw_scene(SceneOptions(kind="empty", seed=seed))[0] for seed in range(12)]
    for kind, drawn in pictures.items():
        found = [predictor.predict(picture) for picture in drawn]
        counts = [each.count for each in found]
        warned = sum(bool(each.warnings) for each in found)
        print(f"| {kind} | {warned} of {len(found)} | {np.mean(counts):.1f}, {max(counts):.1f} |", flush=True)


if __name__ == "__main__":
    main()
