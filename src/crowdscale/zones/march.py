"""March mode: the people who passed a line over hours, and all who took part in a march, by two lines.

**One line.** Time is observed in stretches: all of it, or one minute in five. With a random begin each stretch of the march is
as likely to be observed, so that the people counted, divided by the share of time observed, are an unbiased estimate of all
who passed (Horvitz and Thompson, 1952). Its variance is that of systematic sampling, from third differences of successive
stretches, which the rise and the end of a march do not widen (Wolter, *Introduction to Variance Estimation*, 2007, §8.2).

**Two lines.** Of those who pass a second line, the share p passed the first one, too: by a random sample of n people asked or
recognised there. Then first + second · (1 - p) is an unbiased estimate of the people who passed either line (Yip, Watson, Chan,
Lau, Chen, Xu, Xi, Cheung, Ip and Liu, *Estimation of the number of people in a demonstration*, Aust. N. Z. J. Stat. 52, 2010).
Its variance is V(first) + (1 - p)² V(second) + second² V(p) - V(second) V(p), as the three are independent (Goodman, JASA 55,
1960). Ends of the interval are combined by squares (Zou and Donner, Stat. Med. 27, 2008), those of p by Wilson's score.
Who joins after the first line and leaves before the second is in neither.

**Hand counts** of some stretches correct what the camera misses: by the ratio of people counted by hand to those counted by the
camera (Cochran, *Sampling Techniques*, 1977, §12.8).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from crowdscale.errors import DataError, OptionError
from crowdscale.zones.passages import Passages

__all__ = ["Block", "Correction", "Estimated", "Survey", "correction", "flow", "joiners", "total"]

Floats = NDArray[np.float64]

LEVEL = 0.9
UNIT = 60.0
"""Seconds of a stretch where time was observed without a pattern."""
FEWEST = 5
"""Stretches below which a variance is not estimated."""
PATTERN = 0.1
"""Share by which lengths and distances of stretches may differ in a pattern such as one minute in five."""


@dataclass(frozen=True)
class Estimated:
    """A number of people with its interval."""

    people: float
    low: float | None
    """None where too few stretches were observed; equal to ``people`` where all time was."""
    high: float | None
    variance: float | None
    observed: float
    """Share of the time."""
    stretches: int
    irregular: bool = False
    """Whether gaps are no pattern, so that the time between them is only assumed to be like the rest."""


@dataclass(frozen=True)
class Block:
    """People a minute in a part of the time."""

    start: float
    """Seconds."""
    end: float
    per_minute: float | None
    """None where nothing was observed."""
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Correction:
    """People counted by hand over people counted by the camera."""

    ratio: float
    variance: float
    noise: float
    """Variance of a hand count around the corrected one, over the corrected count."""
    checked: int
    """Stretches counted by hand."""
    seconds: float
    """Their time in all."""


@dataclass(frozen=True)
class Survey:
    """People asked, or recognised, at the second line.

    Raises:
        OptionError: None were asked, or more passed than were asked.
    """

    asked: int
    passed: int
    """Of them, those who had passed the first line."""
    design_effect: float = 1.0
    """Variance over that of a simple random sample: above 1 where groups were asked together."""

    def __post_init__(self) -> None:
        if self.asked < 2 or not 0 <= self.passed <= self.asked or not self.design_effect > 0:
            raise OptionError(
                "expected at least 2 people asked, of whom 0 to all passed, and a design effect above 0",
                f"{self.asked}, {self.passed}, {self.design_effect:g}",
            )

    @property
    def share(self) -> float:
        """Share of those asked who had passed the first line."""
        return self.passed / self.asked

    def variance(self, people: float) -> float:
        """Return the estimated variance of the share, of so many people who could be asked."""
        left = max(0.0, 1 - self.asked / max(people, 1e-9))
        return self.share * (1 - self.share) / (self.asked - 1) * left * self.design_effect

    def interval(self, people: float, level: float = LEVEL) -> tuple[float, float]:
        """Return Wilson's interval of the share, of so many people who could be asked."""
        left = max(0.0, 1 - self.asked / max(people, 1e-9))
        if left == 0:
            return self.share, self.share
        n, z = self.asked / (left * self.design_effect), float(ndtri((1 + level) / 2))
        middle = (self.share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * float(np.sqrt(self.share * (1 - self.share) / n + z**2 / (4 * n**2)))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, eq=False)
class _Stretches:
    """Rates of observed stretches."""

    middles: Floats
    lengths: Floats
    people: Floats
    span: float
    """Seconds for which they stand."""
    regular: bool

    @property
    def rate(self) -> float:
        return float(self.people.sum() / self.lengths.sum())

    @property
    def observed(self) -> float:
        return min(1.0, float(self.lengths.sum()) / self.span)

    def spread(self) -> tuple[float, float] | None:
        """Return the variance of the rate of a stretch and its degrees of freedom; None for too few stretches."""
        whole = self.lengths > 0.5 * np.median(self.lengths)
        rates = self.people[whole] / self.lengths[whole]
        n = len(rates)
        if n < FEWEST:
            return None
        third = np.diff(rates, 3)
        k = n - 3  # of them; neighbours share rates: their products are 20, -15, 6 and -1
        freedom = 400 * k**2 / (400 * k + 2 * (225 * (k - 1) + 36 * (k - 2) + max(0, k - 3)))
        return float((third**2).sum() / (20 * k)), freedom


def _stretches(passages: Passages, span: float | None) -> _Stretches:
    """Return the stretches of a pattern, or else minutes of what was observed.

    Raises:
        DataError: Nothing was observed.
    """
    if not len(passages.starts):
        raise DataError("expected rows a few seconds apart", "no two such rows", "Watch with --every 200ms")
    runs = passages.runs()
    starts = np.array([passages.starts[run][0] for run in runs])
    lengths = np.array([passages.ends[run][-1] - passages.starts[run][0] for run in runs])
    people = np.array([passages.people[run].sum() for run in runs])
    period = _period(starts, lengths)
    if period is not None:
        stood = period / float(np.median(lengths)) * float(lengths.sum())
        return _Stretches(starts + lengths / 2, lengths, people, span or stood, True)
    whole = float(passages.ends[-1] - passages.starts[0])
    return _minutes(passages, runs, span or whole)


def _period(starts: Floats, lengths: Floats) -> float | None:
    """Return the seconds from stretch to stretch of a pattern; None without one."""
    if len(starts) < FEWEST:
        return None
    inner, apart = lengths[1:-1], np.diff(starts)[1:]
    usual, period = float(np.median(inner)), float(np.median(apart))
    alike = (np.abs(inner - usual) <= PATTERN * usual).mean() > 0.8 and (
        np.abs(apart - period) <= PATTERN * period
    ).mean() > 0.8
    return period if alike else None


def _minutes(passages: Passages, runs: list[slice], span: float) -> _Stretches:
    """Return stretches of about a minute within each run."""
    middles, lengths, people = [], [], []
    for run in runs:
        starts, ends, counts = passages.starts[run], passages.ends[run], passages.people[run]
        number = max(1, round((ends[-1] - starts[0]) / UNIT))
        edges = np.linspace(starts[0], ends[-1], number + 1)
        parts = np.clip(np.searchsorted(edges, ends, "left") - 1, 0, number - 1)
        lengths += [float((ends - starts)[parts == part].sum()) for part in range(number)]
        people += [float(counts[parts == part].sum()) for part in range(number)]
        middles += ((edges[1:] + edges[:-1]) / 2).tolist()
    kept = np.array(lengths) > 0
    return _Stretches(
        np.array(middles)[kept],
        np.array(lengths)[kept],
        np.array(people)[kept],
        max(span, passages.observed),
        False,
    )


def total(
    passages: Passages, span: float | None = None, by_hand: Correction | None = None, level: float = LEVEL
) -> Estimated:
    """Return all people who passed a line.

    Args:
        passages: What was observed.
        span: Seconds that the march took. None: from the first to the last row, or whole periods of a pattern.
        by_hand: Correction by hand counts.
        level: Of the interval.

    Raises:
        DataError: Nothing was observed.
    """
    stretches = _stretches(passages, span)
    people, spread = stretches.rate * stretches.span, stretches.spread()
    irregular = not stretches.regular and stretches.observed < 0.99
    if stretches.observed > 0.999:
        estimate = Estimated(people, people, people, 0.0, 1.0, len(stretches.middles))
    elif spread is None:
        estimate = Estimated(people, None, None, None, stretches.observed, len(stretches.middles), irregular)
    else:
        variance = stretches.span**2 * (1 - stretches.observed) * spread[0] / len(stretches.middles)
        half = float(stdtrit(spread[1], (1 + level) / 2) * np.sqrt(variance))
        least = float(stretches.people.sum())  # these were counted
        low = max(min(least, people), people - half)
        estimate = Estimated(
            people, low, people + half, variance, stretches.observed, len(stretches.middles), irregular
        )
    if by_hand is None:
        return estimate
    unchecked = max(0.0, 1 - by_hand.seconds / passages.observed)
    return _corrected(estimate, by_hand, level, estimate.people**2 * by_hand.variance * unchecked)


def _corrected(estimate: Estimated, by_hand: Correction, level: float, own: float) -> Estimated:
    """Return an estimate times the ratio of hand counts; ``own`` is the variance that this adds."""
    people = estimate.people * by_hand.ratio
    if estimate.low is None or estimate.high is None or estimate.variance is None:
        return replace(estimate, people=people)
    half = float(stdtrit(by_hand.checked - 1, (1 + level) / 2)) * own**0.5
    low = people - float(np.hypot(by_hand.ratio * (estimate.people - estimate.low), half))
    high = people + float(np.hypot(by_hand.ratio * (estimate.high - estimate.people), half))
    variance = by_hand.ratio**2 * estimate.variance + own
    return replace(estimate, people=people, low=max(0.0, low), high=high, variance=variance)


def correction(passages: Passages, checked: list[tuple[float, float, float]]) -> Correction:
    """Return the ratio of people counted by hand to those counted by the camera.

    Args:
        passages: What the camera counted.
        checked: (start, end, people) of stretches chosen at random and counted by hand.

    Raises:
        DataError: Fewer than three stretches, one that was not observed, or nobody counted by the camera.
    """
    camera, hand = [], []
    for start, end, people in checked:
        within = passages.between(start, end)
        if not end > start or within.observed < 0.9 * (end - start):
            raise DataError(
                "expected checked times that the rows hold",
                f"{start:g} to {end:g} s, observed for {within.observed:g} s",
            )
        camera.append(float(within.people.sum()))
        hand.append(people)
    y, h = np.array(camera), np.array(hand)
    if len(y) < 3 or not y.sum() > 0:
        raise DataError(
            "expected three or more checked times with people", f"{len(y)} with {y.sum():g} people"
        )
    ratio = float(h.sum() / y.sum())
    residuals = float(((h - ratio * y) ** 2).sum()) / (len(y) - 1)
    seconds = sum(end - start for start, end, _ in checked)
    noise = residuals / max(float(ratio * y.mean()), 1e-9)
    return Correction(ratio, residuals / (len(y) * float(y.mean()) ** 2), noise, len(y), seconds)


def flow(
    passages: Passages, every: float, by_hand: Correction | None = None, level: float = LEVEL
) -> list[Block]:
    """Return people a minute in successive blocks of time.

    Args:
        passages: What was observed.
        every: Seconds of a block.
        by_hand: Correction by hand counts.
        level: Of the interval.

    Raises:
        DataError: Nothing was observed.
    """
    stretches = _stretches(passages, None)
    spread = stretches.spread()
    start = np.floor(passages.starts[0] / every) * every
    number = int(np.ceil((passages.ends[-1] - start) / every - 1e-9))
    steps = (passages.starts + passages.ends) / 2
    blocks = []
    for begin in (start + every * np.arange(number)).tolist():
        inside = (steps >= begin) & (steps < begin + every)
        seconds = float((passages.ends - passages.starts)[inside].sum())
        counted = float(passages.people[inside].sum())
        share = min(1.0, seconds / (min(begin + every, passages.ends[-1]) - max(begin, passages.starts[0])))
        blocks.append(
            _block(begin, begin + every, counted, seconds, share, stretches, spread, by_hand, level)
        )
    return blocks


def _block(
    begin: float,
    end: float,
    counted: float,
    seconds: float,
    share: float,
    stretches: _Stretches,
    spread: tuple[float, float] | None,
    by_hand: Correction | None,
    level: float,
) -> Block:
    """Return a block; the variance of its rate grows with the rate, as in the whole."""
    if seconds <= 0:
        return Block(begin, end, None, None, None)
    rate, exact = counted / seconds, share > 0.98
    estimate = Estimated(rate, rate, rate, 0.0, share, 1)
    if not exact and spread is None:
        estimate = replace(estimate, low=None, high=None, variance=None)
    elif not exact and spread is not None:
        each = float(np.median(stretches.lengths))
        variance = (1 - share) * spread[0] * abs(rate) / max(abs(stretches.rate), 1e-12) * each / seconds
        half = float(stdtrit(spread[1], (1 + level) / 2) * np.sqrt(variance))
        estimate = replace(estimate, low=rate - half, high=rate + half, variance=variance)
    if by_hand is not None:
        noise = by_hand.noise * by_hand.ratio * abs(rate) / seconds
        estimate = _corrected(estimate, by_hand, level, rate**2 * by_hand.variance + noise)
    low, high = (None if each is None else 60 * each for each in (estimate.low, estimate.high))
    return Block(begin, end, 60 * estimate.people, None if low is None else max(0.0, low), high)


def joiners(first: Estimated, second: Estimated, survey: Survey, level: float = LEVEL) -> Estimated:
    """Return the people who passed the first or the second line.

    Args:
        first: People who passed the first line.
        second: People who passed the second line.
        survey: People asked at the second line.
        level: Of the interval.
    """
    share = survey.share
    people = first.people + second.people * (1 - share)
    observed, stretches = min(first.observed, second.observed), min(first.stretches, second.stretches)
    irregular = first.irregular or second.irregular
    a, b = _ends(first), _ends(second)
    if a is None or b is None or first.variance is None or second.variance is None:
        return Estimated(people, None, None, None, observed, stretches, irregular)
    own = survey.variance(second.people)
    variance = (
        first.variance + (1 - share) ** 2 * second.variance + second.people**2 * own - second.variance * own
    )
    least, most = survey.interval(second.people, level)
    low = _root(first.people - a[0], (1 - share) * (second.people - b[0]), second.people * (most - share))
    high = _root(a[1] - first.people, (1 - share) * (b[1] - second.people), second.people * (share - least))
    return Estimated(people, people - low, people + high, max(0.0, variance), observed, stretches, irregular)


def _ends(estimate: Estimated) -> tuple[float, float] | None:
    return None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high)


def _root(*parts: float) -> float:
    return float(np.sqrt(sum(part**2 for part in parts)))
