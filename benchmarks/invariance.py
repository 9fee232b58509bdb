"""How far the count of a photo moves when the photo is changed and its people are not.

    python benchmarks/invariance.py lite --data sha:ShanghaiTech --data folder:extra/scut_b \
        --only research/lists/validation-domains.txt --every 3 --out invariance.json

Each photo is resized by several filters, compressed, sharpened, made grey, moved by a pixel and mirrored. The table has the
median, the 90th percentile and the largest relative change of the count, and both passes. Photos with fewer than
``FEWEST`` people counted are left out, for one person more is no share.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

import crowdscale
from crowdscale.data.lists import domain_of, read_list, split_samples
from crowdscale.data.opening import open_dataset

FEWEST = 5.0
Change = Callable[[np.ndarray], np.ndarray]


def resized(factor: float, method: int) -> Change:
    """Resize by a side factor and a filter."""
    return lambda p: cv2.resize(p, None, fx=factor, fy=factor, interpolation=method)


def compressed(quality: int) -> Change:
    """Write as a JPEG and read again."""

    def change(pixels: np.ndarray) -> np.ndarray:
        written = cv2.imencode(
            ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )[1]
        return cv2.cvtColor(cv2.imdecode(written, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    return change


def sharpened(pixels: np.ndarray) -> np.ndarray:
    """Apply an unsharp mask of strength 1."""
    return cv2.addWeighted(pixels, 2, cv2.GaussianBlur(pixels, (0, 0), 1.0), -1, 0)


CHANGES: dict[str, Change] = {
    "× 0.5, area": resized(0.5, cv2.INTER_AREA),
    "× 0.7, area": resized(0.7, cv2.INTER_AREA),
    "× 0.7, linear": resized(0.7, cv2.INTER_LINEAR),
    "× 1.4, linear": resized(1.4, cv2.INTER_LINEAR),
    "× 1.4, Lanczos": resized(1.4, cv2.INTER_LANCZOS4),
    "× 2, cubic": resized(2.0, cv2.INTER_CUBIC),
    "JPEG 30": compressed(30),
    "sharpened": sharpened,
    "grey": lambda p: np.repeat(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
    "mirrored": lambda p: np.ascontiguousarray(p[:, ::-1]),
    "1 px cut": lambda p: np.ascontiguousarray(p[1:, 1:]),
    "8 px cut": lambda p: np.ascontiguousarray(p[8:, 8:]),
}


def photos(options: argparse.Namespace) -> Iterator[tuple[str, str, np.ndarray, int | None]]:
    """Yield domain, name, pixels and people of each photo."""
    names = read_list(options.list) if options.list else None
    for text in options.data:
        samples = open_dataset(text).samples
        kept = split_samples(samples, names)[1] if names else samples
        for sample in kept[:: options.every]:
            yield domain_of(sample), sample.name, sample.read(), len(sample.points or ())
    for path in options.photo:
        yield "photos", path.stem, cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), None


def measure(options: argparse.Namespace) -> list[dict[str, object]]:
    """Return one row a photo: its counts by both passes as it is and after each change."""
    predictor = crowdscale.load(options.model, threads=options.threads)
    rows = []
    for domain, name, pixels, truth in photos(options):
        plain = predictor.predict(pixels)
        if plain.count < FEWEST:
            continue
        counts = {"": [plain.first_pass_count, plain.count]}
        for change, apply in CHANGES.items():
            found = predictor.predict(apply(pixels))
            counts[change] = [found.first_pass_count, found.count]
        rows.append({"domain": domain, "name": name, "truth": truth, "counts": counts})
        print(f"{len(rows)} photos", end="\r", flush=True)
    return rows


def table(rows: list[dict]) -> str:
    """Return the spread of each change in Markdown."""
    lines = [
        "| change | median | 90th percentile | largest | median of the first pass |",
        "|---|---|---|---|---|",
    ]
    for change in CHANGES:
        moved = np.array([np.divide(r["counts"][change], r["counts"][""]) - 1 for r in rows])
        first, last = np.abs(100 * moved).T
        middle, high = np.percentile(last, (50, 90))
        lines.append(
            f"| {change} | {middle:.1f} % | {high:.1f} % | {last.max():.1f} % | {np.median(first):.1f} % |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--data", action="append", default=[])
    parser.add_argument("--only", dest="list", type=Path)
    parser.add_argument("--every", type=int, default=1, help="every n-th photo of each set")
    parser.add_argument("--photo", type=Path, nargs="*", default=[])
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON with all counts")
    options = parser.parse_args()
    rows = measure(options)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
