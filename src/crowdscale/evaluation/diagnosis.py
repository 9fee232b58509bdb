"""Whether and where a second look helps: errors on dense regions alone, spread of spacing, clamped factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdscale.evaluation.regions import RegionRow
from crowdscale.evaluation.run import Evaluation
from crowdscale.metrics import LocalizationScores, ResultTable, count_scores
from crowdscale.models.description import ZoomOptions

__all__ = ["Diagnosis", "diagnose", "region_f"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Diagnosis:
    """What a second look did; NaN where there is nothing to measure."""

    images: int
    """Images with a dense region that was enlarged."""
    regions: int
    heads: int
    """True heads in the regions."""
    mae_first: float
    """Mean absolute error over whole images that have a region, by the first pass."""
    mae_refined: float
    dense_mae_first: float
    """Mean absolute error of the regions alone, by the first pass."""
    dense_mae_refined: float
    dense_rmse_first: float
    dense_rmse_refined: float
    dense_bias_first: float
    """Mean of count - truth in the regions, by the first pass."""
    dense_bias_refined: float
    dense_f_first: dict[str, float]
    """F in the regions by threshold, by the first pass; nothing where heads are not located."""
    dense_f_refined: dict[str, float]
    factors: tuple[float, float, float]
    """10th, 50th and 90th percentile of the side factor r."""
    clamped_low: float
    """Share of the regions whose factor stands at the lower limit."""
    clamped_high: float
    capped: float
    """Share whose factor the limit of pixels lowered."""
    spacing_before: float
    """Median true spacing in pixels as the first pass saw it."""
    spacing_after: float
    """As the second pass saw it: times r."""
    log_spread_before: float
    """Standard deviation of log₁₀ of the true spacing as the first pass saw it."""
    log_spread_after: float
    factor_fit: float
    """Correlation of log r with minus log spacing: 1 where the factor follows the truth."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: None for NaN."""
        return {name: _plain(value) for name, value in vars(self).items()}

    def table(self) -> ResultTable:
        """Return what a reader compares: first pass beside refined."""
        pairs = [
            ("MAE of images with a region", self.mae_first, self.mae_refined),
            ("MAE of the regions alone", self.dense_mae_first, self.dense_mae_refined),
            ("RMSE of the regions alone", self.dense_rmse_first, self.dense_rmse_refined),
            ("bias of the regions alone", self.dense_bias_first, self.dense_bias_refined),
            *(
                (f"F {name} in the regions (%)", 100 * value, 100 * self.dense_f_refined[name])
                for name, value in self.dense_f_first.items()
            ),
            ("median true spacing (px)", self.spacing_before, self.spacing_after),
        ]
        lines = [(name, f"{before:.1f}", f"{after:.1f}") for name, before, after in pairs]
        name = "log-spread of true spacing"
        lines.append((name, f"{self.log_spread_before:.3f}", f"{self.log_spread_after:.3f}"))
        return ResultTable(("", "first pass", "refined"), tuple(lines))


def diagnose(result: Evaluation, zoom: ZoomOptions) -> Diagnosis:
    """Return what the second look did in an evaluation.

    Args:
        result: Of both passes.
        zoom: The limits of the factor.
    """
    chosen = [row for row in result.rows if row.dense]
    regions = [region for row in chosen for region in row.dense]
    names = [each.name for each in result.scoring.thresholds if each.name.endswith("px")]
    truth = [region.truth for region in regions]
    before, after = (
        count_or_none(truth, counts)
        for counts in ([each.first_pass_count for each in regions], [each.count for each in regions])
    )
    whole = [row.truth for row in chosen]
    first, refined = (
        count_or_none(whole, counts)
        for counts in ([row.first_pass_count for row in chosen], [row.count for row in chosen])
    )
    factors = np.array([region.zoom for region in regions] or [np.nan])
    spacing = np.array([region.spacing for region in regions] or [np.nan])
    low, middle, high = np.percentile(factors, (10, 50, 90)).tolist()
    return Diagnosis(
        images=len(chosen),
        regions=len(regions),
        heads=sum(truth),
        mae_first=first[0],
        mae_refined=refined[0],
        dense_mae_first=before[0],
        dense_mae_refined=after[0],
        dense_rmse_first=before[1],
        dense_rmse_refined=after[1],
        dense_bias_first=before[2],
        dense_bias_refined=after[2],
        dense_f_first=region_f(regions, names, "first"),
        dense_f_refined=region_f(regions, names, "refined"),
        factors=(low, middle, high),
        clamped_low=_share(np.isclose(factors**2, zoom.area_low, rtol=1e-4)),
        clamped_high=_share(np.isclose(factors**2, zoom.area_high, rtol=1e-4)),
        capped=_share([region.capped for region in regions]),
        spacing_before=_median(spacing),
        spacing_after=_median(spacing * factors),
        log_spread_before=log_spread(spacing),
        log_spread_after=log_spread(spacing * factors),
        factor_fit=_fit(factors, spacing),
    )


PASSES = ("before", "refined")


def count_or_none(truth: Sequence[float], counts: Sequence[float]) -> tuple[float, float, float]:
    """Return (MAE, RMSE, bias), or NaN where there is nothing."""
    if not truth:
        return (float("nan"),) * 3
    scores = count_scores(truth, counts)
    return scores.mae, scores.rmse, scores.bias


def region_f(regions: Sequence[RegionRow], names: Sequence[str], which: str) -> dict[str, float]:
    """Return F over all regions by threshold, of the ``first`` pass or the ``refined`` result."""
    if not regions or any(region.predicted is None for region in regions):
        return {}
    first = which == "first"
    predicted = sum((region.predicted or (0, 0))[0 if first else 1] for region in regions)
    matched = [region.first_pass_matched if first else region.matched for region in regions]
    truth = sum(region.truth for region in regions)
    return {
        name: LocalizationScores(sum(each[i] for each in matched), predicted, truth).f
        for i, name in enumerate(names)
    }


def log_spread(spacing: Floats) -> float:
    """Return the standard deviation of log₁₀ of the spacings that are known and above 0."""
    known = spacing[np.isfinite(spacing) & (spacing > 0)]
    return float(np.log10(known).std()) if len(known) else float("nan")


def _fit(factors: Floats, spacing: Floats) -> float:
    known = np.isfinite(spacing) & (spacing > 0) & (factors > 0)
    r, s = np.log(factors[known]), -np.log(spacing[known])
    if known.sum() < 3 or r.std() < 1e-9 or s.std() < 1e-9:
        return float("nan")
    return float(np.corrcoef(r, s)[0, 1])


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _share(held: ArrayLike) -> float:
    values = np.asarray(held, float)
    return float(values.mean()) if len(values) else float("nan")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return {k: _plain(v) for k, v in value.items()} if isinstance(value, dict) else value
