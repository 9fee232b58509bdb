"""Calibrated intervals: conformal quantiles, coverage on fresh photos, small counts, JSON and back."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdscale.errors import DataError, OptionError
from crowdscale.trust.intervals import (
    LEVELS,
    Calibration,
    Check,
    binomial_interval,
    calibrate_counts,
    cross_domains,
    cross_fit,
)

PLAIN = Calibration((0.5, 0.9), (0.1, 0.25), offset=10.0, growth=0.0, smallest=5, largest=2000, images=40)


def crowd(photos: int, seed: int, growth: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """(truth, counts) with errors in proportion to the count, more so in larger crowds by ``growth``."""
    random = np.random.default_rng(seed)
    counts = np.exp(random.uniform(5, 9, photos))  # large, so that rounding to whole people adds little
    error = random.laplace(0, 0.1, photos) * counts * (counts / 100) ** growth
    return np.maximum(0, np.rint(counts + error)), counts


@pytest.mark.parametrize(
    ("count", "level", "interval"),
    [
        (1240, 0.9, (927, 1553)),  # 1240 ± 0.25 · 1250 = 312.5, outwards to whole people
        (1240, 0.5, (1115, 1365)),
        (0, 0.9, (0, 3)),
        (0.4, 0.9, (0, 3)),
        (3, 0.9, (0, 7)),
    ],
    ids=["crowd", "half the time", "nobody", "a trace of nobody", "a few"],
)
def test_interval_by_hand(count, level, interval):
    assert PLAIN.interval(count, level) == interval


def test_growth_stops_where_no_crowd_was_seen():
    grown = Calibration((0.9,), (0.2,), offset=0.0, growth=0.5, smallest=100, largest=400, images=40)
    assert grown.width([100, 400, 40_000]).tolist() == pytest.approx([100, 800, 80_000])
    assert grown.width(25) == pytest.approx(25)  # as narrow in proportion as at the smallest crowd seen


def test_an_unknown_level_lists_the_known_ones():
    with pytest.raises(OptionError, match=r"0\.5, 0\.9.*0\.7"):
        PLAIN.interval(10, 0.7)


def test_quantile_is_the_conformal_one():
    truth, counts = crowd(39, 0)
    known = calibrate_counts(truth, counts)
    scores = np.sort(np.abs(truth - counts) / known.width(counts))
    # (39 + 1) · 0.9 = 36: the 36th of the sorted scores
    assert known.quantiles[known.levels.index(0.9)] == pytest.approx(scores[35], abs=1e-5)


def test_levels_that_need_more_photos_are_left_out():
    truth, counts = crowd(20, 0)
    assert calibrate_counts(truth, counts).levels == LEVELS
    assert cross_fit(truth, counts).levels == (0.5, 0.8, 0.9)  # 18 photos give no 95 %: that takes 19
    with pytest.raises(DataError, match="20 annotated photos"):
        calibrate_counts(truth[:19], counts[:19])


@pytest.mark.parametrize("growth", [0.0, 0.3])
def test_intervals_hold_on_fresh_photos_as_often_as_they_say(growth):
    known = calibrate_counts(*crowd(400, 1, growth))
    assert known.growth == pytest.approx(growth, abs=0.11)
    check = known.check(*map(list, crowd(4000, 2, growth)), "fresh")
    for level, inside in zip(check.levels, check.inside, strict=True):
        # 400 photos know a quantile to about ±2·√(level·(1 - level)/400); rounding outwards adds a little.
        assert inside / 4000 == pytest.approx(level, abs=2.5 * (level * (1 - level) / 400) ** 0.5 + 0.01)


def test_cross_fitted_coverage_is_told():
    truth, counts = crowd(200, 3)
    found = calibrate_counts(truth, counts, ["drawn: 200 photos"], "none").cross_fitted
    assert found is not None
    assert found.images == 200
    assert 0.84 < found.inside[found.levels.index(0.9)] / 200 < 0.96
    assert found.sentences()[2].startswith("90 % interval: held on ")


def test_calibration_comes_back_from_json():
    whole = calibrate_counts(*crowd(50, 4), ["drawn"], "nothing else")
    whole = Calibration(**{**vars(whole), "checks": (Check("more", 9, (0.9,), (8,)),)})
    assert Calibration.from_dict(json.loads(json.dumps(asdict(whole)))) == whole


@settings(deadline=None)
@given(st.integers(1, 400), st.data())
def test_binomial_interval_is_clopper_and_pearsons(images, data):
    from scipy.stats import binomtest

    inside = data.draw(st.integers(0, images))
    expected = binomtest(inside, images).proportion_ci(method="exact")
    assert binomial_interval(inside, images) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_binomial_interval_refuses_more_than_all():
    with pytest.raises(OptionError, match="5 of 4"):
        binomial_interval(5, 4)


def test_each_domain_has_the_same_weight():
    counts = np.full(420, 100.0)
    truth = np.concatenate([np.full(400, 101.0), np.full(20, 140.0)])
    domains = ["large"] * 400 + ["odd"] * 20
    pooled, across = calibrate_counts(truth, counts), calibrate_counts(truth, counts, domains=domains)
    place = LEVELS.index(0.9)
    reach = [each.quantiles[place] * float(each.width(100.0)) for each in (pooled, across)]
    assert reach[0] == pytest.approx(1, abs=0.01)
    assert reach[1] == pytest.approx((1 + 40) / 2, abs=0.05)


def test_coverage_across_domains_is_of_each_domain_by_the_others():
    truth, counts = crowd(120, 3)
    domains = np.array(["a"] * 80 + ["b"] * 40)
    truth[80:] = np.rint(truth[80:] * 1.6)  # another camera, counted far too low
    across = cross_domains(truth, counts, domains)
    assert across.images == 120
    place = across.levels.index(0.9)
    by_a = calibrate_counts(truth[:80], counts[:80]).check(truth[80:].tolist(), counts[80:].tolist(), "")
    by_b = calibrate_counts(truth[80:], counts[80:]).check(truth[:80].tolist(), counts[:80].tolist(), "")
    assert across.inside[place] == by_a.inside[place] + by_b.inside[place]
    assert by_a.inside[place] < 20
    with pytest.raises(DataError, match="two domains"):
        cross_domains(truth, counts, np.array(["a"] * 120))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            ("folder my_photos: 40 photos",),
            "In 9 of 10 photos like those of the calibration: folder my_photos: 40 photos.",
        ),
        (
            ("sha/train 2016: 30 photos", "folder brt: 26 photos"),
            "In 9 of 10 photos like those trained on. Your camera is not calibrated: "
            "crowdscale models calibrate lite --data my_photos/ --write",
        ),
        ((), "is not calibrated"),
    ],
)
def test_an_interval_says_for_which_photos_it_holds(data, said):
    calibration = Calibration((0.9,), (0.2,), 1.0, 0.0, 0, 100, 40, data)
    assert said in calibration.holds_for("lite")
