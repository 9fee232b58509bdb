"""Marks of counts that must not be used, on photos with people and on pictures with nobody.

    python -m benchmarks.nobody --model lite --data sha:ShanghaiTech --data shb:ShanghaiTech --data folder:extra/brt … \
        --only research/lists/validation-domains.txt --empty FOLDER

Photos with people must not be marked. Of pictures with nobody, those in which people are counted should be. Drawn
pictures are part of it; ``--empty`` adds folders of your own photos. Run after a model was trained or profiled anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from crowdscale.counting.predictor import Predictor, load
from crowdscale.data.lists import read_list, split_samples
from crowdscale.data.opening import open_dataset
from crowdscale.errors import CrowdscaleError
from crowdscale.files.finding import find_images
from crowdscale.files.images import read_image
from research.synthetic.emptiness import EMPTINESS, draw_emptiness

WIDTH, HEIGHT = 800, 600

Picture = tuple[str, np.ndarray]


def balls(seed: int, number: int) -> np.ndarray:
    """Return shaded balls of head's size on a plain ground."""
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), rng.integers(60, 200, 3), np.float32)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for _ in range(number):
        x, y, radius = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(6, 16)
        box = np.s_[
            max(0, int(y - radius)) : int(y + radius) + 2, max(0, int(x - radius)) : int(x + radius) + 2
        ]
        across, down = (columns[box] - x) / radius, (rows[box] - y) / radius
        inside = across**2 + down**2 < 1
        height = np.sqrt(np.clip(1 - across**2 - down**2, 0, 1))
        shade = np.clip(0.2 + 0.8 * height - 0.1 * (across + down), 0, 1.2)
        picture[box][inside] = (rng.integers(20, 235, 3) * shade[..., None])[inside]
    return np.asarray(picture.clip(0, 255), np.uint8)


def stones(seed: int) -> np.ndarray:
    """Return gravel: cells of random grey with dark joints."""
    rng = np.random.default_rng(seed)
    number = int(rng.integers(1500, 4000))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    places = rng.uniform(0, 1, (number, 2)) * (WIDTH, HEIGHT)
    distances, nearest = cKDTree(places).query(np.column_stack([columns.ravel(), rows.ravel()]), k=2)
    joint = np.clip((distances[:, 1] - distances[:, 0]).reshape(HEIGHT, WIDTH) / 4, 0.25, 1)
    grey = rng.normal(130, 35, number)[nearest[:, 0]].reshape(HEIGHT, WIDTH) * joint
    noisy = (grey + rng.normal(0, 8, grey.shape)).clip(0, 255).astype(np.uint8)
    return np.repeat(noisy[..., None], 3, axis=2)


def empty_pictures(folders: Sequence[Path]) -> Iterator[Picture]:
    """Yield pictures with nobody: drawn ones, and the photos of folders."""
    for seed, number in ((1, 150), (2, 500), (3, 1200)):
        yield f"balls {number}", balls(seed, number)
    for seed in (1, 2):
        yield f"stones {seed}", stones(seed)
    for index, kind in enumerate(EMPTINESS):
        for seed in (1, 2):
            yield (
                f"{kind} {seed}",
                draw_emptiness(WIDTH, HEIGHT, np.random.default_rng(7 * seed + index), kind),
            )
    for path in find_images(folders) if folders else ():
        yield path.name, read_image(path).pixels


def people_marked(predictor: Predictor, sources: Sequence[str], only: Path, most: int) -> tuple[int, int]:
    """Print a line a data set; return the marked photos with people and all of them."""
    names = read_list(only)
    chosen = {text: split_samples(open_dataset(text).samples, names)[1] for text in sources}
    total = sum(len(samples) for samples in chosen.values())
    marked = tried = 0
    for text, samples in chosen.items():
        share = min(len(samples), max(5, round(most * len(samples) / total)))
        picked = [samples[index] for index in np.linspace(0, len(samples) - 1, share).round().astype(int)]
        found = [sample.name for sample in picked if not predictor.predict(sample.read()).usable]
        print(f"{text:40} {len(found):4} of {len(picked):4} marked {' '.join(found)}", flush=True)
        marked, tried = marked + len(found), tried + len(picked)
    return marked, tried


def main() -> int:
    """Print both tables; return 1 where more than 1 % of the photos with people are marked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--data", action="append", default=[], help="SET:PATH or folder:PATH, several times")
    parser.add_argument("--only", type=Path, help="list of the photos with people")
    parser.add_argument(
        "--empty", action="append", default=[], type=Path, help="folder of photos with nobody"
    )
    parser.add_argument("--photos", type=int, default=60, help="photos with people in all")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    predictor = load(options.model, threads=options.threads)
    wrong = []
    for name, pixels in empty_pictures(options.empty):
        try:
            prediction = predictor.predict(pixels)
        except CrowdscaleError as error:
            print(f"{name:40} {error}")
            continue
        if prediction.count >= 1:
            wrong.append(prediction.usable)
            state = "warned" if prediction.warnings else "no warning"
            print(
                f"{name:40} {prediction.count:6.0f} people {state if prediction.usable else 'marked'}",
                flush=True,
            )
    print(
        f"Pictures with nobody in which people are counted: {len(wrong)}, {wrong.count(False)} of them marked"
    )
    if not options.data or options.only is None:
        return 0
    marked, tried = people_marked(predictor, options.data, options.only, options.photos)
    print(f"Photos with people: {marked} of {tried} marked ({marked / max(1, tried):.1%})")
    return 1 if marked > 0.01 * tried else 0


if __name__ == "__main__":
    sys.exit(main())
