"""Scoring: a prediction and the truth of a photo → one row, from which every score follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from crowdscale.arrays import Floats, Maps
from crowdscale.data.protocol import Protocol
from crowdscale.errors import OptionError
from crowdscale.metrics.game import game_errors
from crowdscale.metrics.matching import match_counts, match_points
from crowdscale.metrics.thresholds import SHANGHAITECH, BoxRadius, Threshold, threshold
from crowdscale.metrics.truth import BANDS, GroundTruth
from crowdscale.points import Points

__all__ = ["ImageRow", "Scoring", "score_image"]


@dataclass(frozen=True)
class Scoring:
    """The measures of each photo."""

    thresholds: tuple[Threshold, ...] = SHANGHAITECH
    """Localization thresholds."""
    averaged: tuple[int, int] | None = None
    """Whole pixels from … to over which precision, recall and F are averaged."""
    game: int = 0
    """The highest level of GAME; 0 for none."""
    attributes: tuple[str, ...] = ()
    """Attributes by which scores are split."""

    @classmethod
    def of(cls, protocol: Protocol) -> Scoring:
        """Return the measures of a data set's protocol."""
        averaged = protocol.averaged and (int(protocol.averaged[0]), int(protocol.averaged[1]))
        return cls(
            tuple(map(threshold, protocol.thresholds)),
            averaged or None,
            protocol.game,
            tuple(dict.fromkeys((*protocol.attributes, *(("level",) if protocol.levels else ())))),
        )

    def choose(self, thresholds: str = "", average: str = "", game: int | None = None) -> Scoring:
        """Return the measures with a user's choices: ``4px,knn8``, ``1-100``, the highest level of GAME.

        Raises:
            OptionError: One of them cannot be read.
        """
        chosen = self
        if thresholds:
            chosen = replace(chosen, thresholds=tuple(map(threshold, thresholds.split(","))))
        if average:
            low, _, high = average.partition("-")
            if not (low.isdigit() and high.isdigit() and 0 < int(low) < int(high)):
                raise OptionError("expected --average as two whole pixels such as 1-100", repr(average))
            chosen = replace(chosen, averaged=(int(low), int(high)))
        return chosen if game is None else replace(chosen, game=game)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        names = [each.name for each in self.thresholds]
        return {**asdict(self), "thresholds": names}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Scoring:
        """Return what ``to_dict`` wrote."""
        averaged = values["averaged"]
        return cls(
            tuple(map(threshold, values["thresholds"])),
            None if averaged is None else (averaged[0], averaged[1]),
            values["game"],
            tuple(values["attributes"]),
        )

    @property
    def pixels(self) -> Floats:
        """The radii that are averaged over."""
        return np.arange(self.averaged[0], self.averaged[1] + 1.0) if self.averaged else np.zeros(0)

    @property
    def pixel_names(self) -> list[str]:
        """Names of the thresholds with a radius in pixels."""
        return [each.name for each in self.thresholds if each.name.endswith("px")]

    @property
    def bands(self) -> bool:
        """Whether recall is split by size band, as for NWPU's box thresholds."""
        return any(isinstance(each, BoxRadius) for each in self.thresholds)


@dataclass(frozen=True)
class ImageRow:
    """One photo: the numbers from which every score follows."""

    name: str
    set: str
    truth: int
    """Annotated heads."""
    count: float
    """Predicted people."""
    predicted: int | None = None
    """Located heads; None for counts alone."""
    matched: tuple[int, ...] = ()
    """Matched heads at each threshold."""
    distances: tuple[float, ...] = ()
    """Total distance in pixels of the matched pairs at each threshold, the least of all largest matchings."""
    averaged: tuple[int, ...] = ()
    """Matched heads at each of the averaged pixels."""
    game: tuple[float, ...] = ()
    """Sum of the cells' errors at each level of GAME."""
    band_truth: tuple[int, ...] = ()
    band_matched: tuple[int, ...] = ()
    """Heads of each size band, and those matched at the largest box threshold."""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ImageRow:
        """Return the row that ``to_dict`` wrote."""
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**plain)


def score_image(
    name: str,
    truth: GroundTruth,
    count: float,
    points: Points | None,
    scoring: Scoring,
    density: Maps | None = None,
) -> ImageRow:
    """Return the row of one photo.

    Args:
        name: Name of the photo.
        truth: Its truth.
        count: Predicted people.
        points: Predicted heads in the same pixels; None for a count or a density alone.
        scoring: The measures.
        density: (h, w) people in each cell over the whole photo, which GAME prefers to the heads.
    """
    heads = truth.points
    row: dict[str, Any] = {}
    if points is not None:
        row = _matched(points, truth, scoring)
    if scoring.game and truth.size is not None:
        people = points if density is None else density
        if people is not None:
            row["game"] = tuple(game_errors(people, heads, truth.size, scoring.game).tolist())
    set_name = truth.attributes.get("set", "")
    return ImageRow(name, set_name, len(truth), float(count), attributes=dict(truth.attributes), **row)


def _matched(points: Points, truth: GroundTruth, scoring: Scoring) -> dict[str, Any]:
    matched, distances = [], []
    row: dict[str, Any] = {"predicted": len(points)}
    for each in scoring.thresholds:
        matches = match_points(points.xy, truth.points.xy, each.radii(truth), closest=True)
        matched.append(len(matches))
        distances.append(round(float(matches.distances.sum()), 6))
        if isinstance(each, BoxRadius) and truth.bands is not None:
            bins = len(BANDS) + 1
            row["band_truth"] = tuple(np.bincount(truth.bands, minlength=bins).tolist())
            hit = truth.bands[matches.pairs[:, 1]]
            row["band_matched"] = tuple(np.bincount(hit, minlength=bins).tolist())
    row |= {"matched": tuple(matched), "distances": tuple(distances)}
    if scoring.averaged:
        row["averaged"] = tuple(match_counts(points.xy, truth.points.xy, scoring.pixels).tolist())
    return row
