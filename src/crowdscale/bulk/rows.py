"""Counts one photo into a row, which every runner returns and each table holds."""

from __future__ import annotations

from crowdscale.counting.attempts import attempt, read_file
from crowdscale.counting.prediction import Prediction
from crowdscale.counting.predictor import Predictor
from crowdscale.counting.table import PhotoRow, photo_row
from crowdscale.zones.zone import Zones

__all__ = ["PhotoRow", "count_photo", "row_of"]


def row_of(photo: str, prediction: Prediction, zones: Zones | None = None) -> PhotoRow:
    """Return a prediction as a row, within the regions of interest. Raises DataError where zones do not fit."""
    if zones is None:
        return photo_row(photo, prediction)
    return photo_row(photo, zones.limit(prediction), zones.count(prediction))


def count_photo(predictor: Predictor, photo: str, zones: Zones | None = None) -> PhotoRow:
    """Read and count one photo; an error becomes the row's sentence."""

    def work() -> PhotoRow:
        decoded = read_file(photo, predictor.options.max_pixels)
        return row_of(photo, predictor.predict_photo(decoded), zones)

    row, sentence = attempt(photo, work)
    return row or PhotoRow(photo, error=sentence)
