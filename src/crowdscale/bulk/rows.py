"""One row a photo: what every engine returns and every table holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from crowdscale.counting.prediction import Prediction
from crowdscale.counting.predictor import Predictor, open_photo
from crowdscale.errors import CrowdscaleError
from crowdscale.files.storage import read_photo_bytes
from crowdscale.zones.zone import Zones

__all__ = ["PhotoRow", "count_photo", "row_of"]


@dataclass(frozen=True)
class PhotoRow:
    """What became of a photo: its people, or the sentence that says why there is no count."""

    photo: str
    """Path or address."""
    people: float | None = None
    low_90: int | None = None
    """Least people at 90 %, where the model is calibrated and the photo is like its training's."""
    high_90: int | None = None
    """Most people at 90 %."""
    first_pass: float | None = None
    width: int | None = None
    """Pixels of the upright original."""
    height: int | None = None
    reduction: float | None = None
    tiles: int | None = None
    seconds: float | None = None
    regions: list[dict[str, Any]] = field(default_factory=list)
    """Each with box (left, top, right, bottom), factor, count_before, count_after."""
    x: list[float] = field(default_factory=list)
    """Of each head, in pixels of the original."""
    y: list[float] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    zones: list[dict[str, Any]] = field(default_factory=list)
    """Each with name, people, dots, per_square_metre."""
    warnings: str = ""
    """Sentences on a photo unlike those trained on, with semicolons."""
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain values."""
        return asdict(self)


def row_of(photo: str, prediction: Prediction, zones: Zones | None = None) -> PhotoRow:
    """Return a prediction as a row; positions to a hundredth of a pixel. Raises DataError where zones do not fit."""
    counts = zones.count(prediction) if zones is not None else []
    prediction = zones.limit(prediction) if zones is not None else prediction
    points = prediction.points
    known = points is not None and points.confidence is not None
    width, height = prediction.size
    low, high = prediction.interval() or (None, None)
    return PhotoRow(
        photo,
        round(prediction.count, 3),
        low,
        high,
        round(prediction.first_count, 3),
        width,
        height,
        round(prediction.reduction, 6),
        prediction.tiles,
        round(prediction.seconds, 4),
        [
            {
                "box": list(region.box.as_tuple()),
                "factor": round(region.factor, 4),
                "count_before": round(region.count_before, 3),
                "count_after": round(region.count_after, 3),
            }
            for region in prediction.regions
        ],
        points.xy[:, 0].round(2).tolist() if points is not None else [],
        points.xy[:, 1].round(2).tolist() if points is not None else [],
        points.confidence.round(3).tolist() if known else [],  # type: ignore[union-attr]
        [
            {
                "name": zone.name,
                "people": round(zone.people, 3),
                "dots": zone.dots,
                "per_square_metre": zone.per_square_metre,
            }
            for zone in counts
        ],
        ";".join(prediction.warnings),
    )


def count_photo(predictor: Predictor, photo: str, zones: Zones | None = None) -> PhotoRow:
    """Read and count one photo; what is wrong with it becomes the row's sentence."""
    try:
        decoded = open_photo(read_photo_bytes(photo), predictor.options.max_pixels)
        return row_of(photo, predictor.predict_photo(decoded), zones)
    except CrowdscaleError as error:
        return PhotoRow(photo, error=str(error).replace("the bytes given", photo))
    except (OSError, MemoryError) as error:
        return PhotoRow(photo, error=f"expected to count {photo}, but got {error or 'too little memory'}.")
