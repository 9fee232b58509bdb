"""One row a photo: both counts, the interval and the regions, kept as JSON lines from which a stopped run resumes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from crowdscale.counting.predictor import Predictor
from crowdscale.data.sample import Sample

__all__ = ["PhotoRow", "predict_rows", "read_rows"]

LEVEL = 0.9


@dataclass(frozen=True)
class PhotoRow:
    """One photo as a model counts it."""

    domain: str
    name: str
    truth: int
    first: float
    """Count of the first pass."""
    count: float
    """Count with the second pass."""
    low: int | None
    high: int | None
    """The 90 % interval; None where the model has none."""
    warnings: tuple[str, ...]
    regions: tuple[tuple[float, float, float, float], ...]
    """Share of the photo, zoom, count before and after of each region."""


def predict_rows(
    predictor: Predictor, photos: Mapping[str, Sequence[Sample]], path: Path, report: Callable[[str], object]
) -> list[PhotoRow]:
    """Return the rows of all photos; those that ``path`` holds already are not predicted again."""
    known = {(row.domain, row.name): row for row in read_rows(path)} if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        for domain, samples in photos.items():
            for number, sample in enumerate(samples, 1):
                if (domain, sample.name) not in known:
                    row = _predict(predictor, domain, sample)
                    known[domain, sample.name] = row
                    stream.write(json.dumps(asdict(row)) + "\n")
                    stream.flush()
                report(f"{domain} {number}/{len(samples)}")
    return [known[domain, sample.name] for domain, samples in photos.items() for sample in samples]


def _predict(predictor: Predictor, domain: str, sample: Sample) -> PhotoRow:
    pixels = sample.read()
    found = predictor.predict(pixels)
    interval = (
        found.calibration.interval(found.count, LEVEL) if found.calibration else None
    )  # warned of or not
    area = pixels.shape[0] * pixels.shape[1]
    regions = tuple(
        (round(r.box.area / area, 4), round(r.zoom, 4), round(r.first_pass_count, 2), round(r.count, 2))
        for r in found.regions
    )
    low, high = (interval.low, interval.high) if interval else (None, None)
    first = found.first_pass_count
    truth = len(sample.points) if sample.points is not None else 0
    return PhotoRow(
        domain, sample.name, truth, round(first, 3), round(found.count, 3), low, high, found.warnings, regions
    )


def read_rows(path: Path) -> list[PhotoRow]:
    """Return the rows of a file of JSON lines."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        values = json.loads(line)
        values |= {"warnings": tuple(values["warnings"]), "regions": tuple(map(tuple, values["regions"]))}
        rows.append(PhotoRow(**values))
    return rows
