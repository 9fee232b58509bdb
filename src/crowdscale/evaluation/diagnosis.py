"""The effect of the second pass: errors on dense regions alone, spread of spacing, clamped zooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crowdscale.arrays import Floats
from crowdscale.evaluation.regions import RegionRow
from crowdscale.evaluation.rows import Evaluation, Row
from crowdscale.metrics import LocalizationScores, ResultTable, count_scores
from crowdscale.models.description import ZoomOptions

__all__ = ["Diagnosis", "diagnose", "region_f"]


Errors = tuple[float, float, float]
"""MAE, RMSE and bias."""


@dataclass(frozen=True)
class Diagnosis:
    """The effect of the second pass; NaN for a value without data."""

    images: int
    """Photos with a dense region."""
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
    """F in the regions by threshold, by the first pass; empty for a model without heads."""
    dense_f_refined: dict[str, float]
    factors: tuple[float, float, float]
    """10th, 50th and 90th percentile of the zoom."""
    clamped_low: float
    """Share of the regions with the smallest zoom."""
    clamped_high: float
    capped: float
    """Share of the regions in which the limit of pixels lowered the zoom."""
    spacing_before: float
    """Median true spacing in pixels of the first pass."""
    spacing_after: float
    """Median true spacing in pixels of the second pass: times the zoom."""
    log_spread_before: float
    """Standard deviation of log₁₀ of the true spacing in the first pass."""
    log_spread_after: float
    factor_fit: float
    """Correlation of log zoom with minus log spacing: 1 for a zoom that follows the truth."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: None for NaN."""
        return {name: _plain(value) for name, value in vars(self).items()}

    def table(self) -> ResultTable:
        """Return the table of both passes."""
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
        return ResultTable(("", "first pass", "second pass"), tuple(lines))


def diagnose(result: Evaluation, zoom: ZoomOptions) -> Diagnosis:
    """Return the effect of the second pass in an evaluation.

    Args:
        result: The evaluation.
        zoom: The limits of the zoom.
    """
    chosen = [row for row in result.rows if row.dense]
    regions = [region for row in chosen for region in row.dense]
    before, after = pass_errors(regions)
    first, refined = pass_errors(chosen)
    factors, spacing = np.array([(each.zoom, each.spacing) for each in regions] or [(np.nan, np.nan)]).T
    low, middle, high = np.percentile(factors, (10, 50, 90)).tolist()
    return Diagnosis(
        images=len(chosen),
        regions=len(regions),
        heads=sum(region.truth for region in regions),
        mae_first=first[0],
        mae_refined=refined[0],
        dense_mae_first=before[0],
        dense_mae_refined=after[0],
        dense_rmse_first=before[1],
        dense_rmse_refined=after[1],
        dense_bias_first=before[2],
        dense_bias_refined=after[2],
        dense_f_first=region_f(regions, result.scoring.pixel_names, "first"),
        dense_f_refined=region_f(regions, result.scoring.pixel_names, "refined"),
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


def pass_errors(rows: Sequence[RegionRow] | Sequence[Row]) -> tuple[Errors, Errors]:
    """Return (MAE, RMSE, bias) of the first pass and of the final counts."""
    truth = [row.truth for row in rows]
    first = count_or_none(truth, [row.first_pass_count for row in rows])
    return first, count_or_none(truth, [row.count for row in rows])


def count_or_none(truth: Sequence[float], counts: Sequence[float]) -> Errors:
    """Return (MAE, RMSE, bias), or NaN for no regions."""
    if not truth:
        return (float("nan"),) * 3
    scores = count_scores(truth, counts)
    return scores.mae, scores.rmse, scores.bias


def region_f(regions: Sequence[RegionRow], names: Sequence[str], which: str) -> dict[str, float]:
    """Return F over all regions by threshold, of the ``first`` pass or the ``refined`` result."""
    passes = [region.of_pass(which == "first") for region in regions if region.predicted is not None]
    if not regions or len(passes) < len(regions):
        return {}
    predicted, matched = sum(heads for heads, _ in passes), [each for _, each in passes]
    truth = sum(region.truth for region in regions)
    return {
        name: LocalizationScores(sum(each[i] for each in matched), predicted, truth).f
        for i, name in enumerate(names)
    }


def log_spread(spacing: Floats) -> float:
    """Return the standard deviation of log₁₀ of the finite spacings above 0."""
    finite = spacing[np.isfinite(spacing) & (spacing > 0)]
    return float(np.log10(finite).std()) if len(finite) else float("nan")


def _fit(factors: Floats, spacing: Floats) -> float:
    finite = np.isfinite(spacing) & (spacing > 0) & (factors > 0)
    r, s = np.log(factors[finite]), -np.log(spacing[finite])
    if finite.sum() < 3 or r.std() < 1e-9 or s.std() < 1e-9:
        return float("nan")
    return float(np.corrcoef(r, s)[0, 1])


def _median(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _share(held: ArrayLike) -> float:
    values = np.asarray(held, float)
    return float(values.mean()) if len(values) else float("nan")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return {k: _plain(v) for k, v in value.items()} if isinstance(value, dict) else value
