"""Rows → scores by domain: errors and bias of both passes, and how often intervals hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from research.domains.rows import PhotoRow

__all__ = ["DomainScores", "markdown", "score_domains"]


@dataclass(frozen=True)
class DomainScores:
    """Scores of one domain."""

    domain: str
    photos: int
    people: int
    first_mae: float
    first_nae: float
    """Mean of |error| / people over photos with people."""
    first_bias: float
    """Summed error by the people of the domain."""
    mae: float
    nae: float
    bias: float
    held: float | None
    """Share of the photos with the true number in the 90 % interval."""
    width: float | None
    """Median width of that interval by the count."""


def score_domains(rows: Sequence[PhotoRow]) -> list[DomainScores]:
    """Return the scores of each domain, in the order of the rows, and the mean over domains last."""
    domains = list(dict.fromkeys(row.domain for row in rows))
    return [_score(domain, [row for row in rows if row.domain == domain]) for domain in domains]


def _score(domain: str, rows: Sequence[PhotoRow]) -> DomainScores:
    truth = np.array([row.truth for row in rows], float)
    first, count = (np.array([getattr(row, name) for row in rows]) for name in ("first", "count"))
    bounded = [(row.low, row.high, row) for row in rows if row.low is not None and row.high is not None]
    held = float(np.mean([low <= row.truth <= high for low, high, row in bounded])) if bounded else None
    wide = [(high - low) / max(row.count, 1.0) for low, high, row in bounded]
    return DomainScores(
        domain, len(rows), int(truth.sum()),
        *_errors(first, truth), *_errors(count, truth),
        held, float(np.median(wide)) if wide else None,
    )  # fmt: skip


def _errors(counts: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    errors, peopled = counts - truth, truth > 0
    nae = np.mean(np.abs(errors)[peopled] / truth[peopled]) if peopled.any() else np.nan
    return float(np.mean(np.abs(errors))), float(nae), float(errors.sum() / max(1.0, truth.sum()))


def markdown(scores: Sequence[DomainScores]) -> str:
    """Return the table in Markdown."""
    lines = [
        "| domain | photos, people | first pass: MAE, NAE, bias | with the second: MAE, NAE, bias | gain | 90 % interval held, width |",
        "|---|---|---|---|---|---|",
    ]
    for s in scores:
        gain = 100 * (1 - s.mae / s.first_mae) if s.first_mae else 0.0
        held = "–" if s.held is None or s.width is None else f"{100 * s.held:.0f} %, {s.width:.2f}"
        lines.append(
            f"| {s.domain} | {s.photos}, {s.people:,} | {s.first_mae:.1f}, {s.first_nae:.3f}, {100 * s.first_bias:+.0f} % "
            f"| {s.mae:.1f}, {s.nae:.3f}, {100 * s.bias:+.0f} % | {gain:+.0f} % | {held} |"
        )
    return "\n".join(lines)
