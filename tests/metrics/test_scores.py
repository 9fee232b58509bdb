"""Counting and localization scores, and the published numbers from published point files."""

import numpy as np
import pytest

from crowdscale.errors import DataError
from crowdscale.metrics import (
    Fixed,
    GroundTruth,
    LocalizationScores,
    NearestNeighbours,
    count_scores,
    localization_scores,
    read_entries,
)
from crowdscale.points import Points


def test_counting_errors_by_hand():
    scores = count_scores([10, 0, 4], [13, 2, 3])
    assert (scores.mae, scores.bias) == (2.0, pytest.approx(4 / 3))
    assert scores.rmse == pytest.approx(np.sqrt((9 + 4 + 1) / 3))
    assert scores.nae == pytest.approx((0.3 + 0.25) / 2)


def test_nobody_anywhere_has_no_relative_error():
    scores = count_scores([0, 0], [1, 0])
    assert (scores.mae, np.isnan(scores.nae)) == (0.5, True)
    assert scores.to_dict()["nae"] is None


def test_counting_needs_images():
    with pytest.raises(DataError, match="one at least"):
        count_scores([], [])


def test_scores_are_of_totals_not_means_of_ratios():
    near, far = Points([[0, 0]]), Points([[100, 100]])
    images = [(near, near)] * 3 + [(far, Points([[0, 0], [50, 50]]))]
    scores = localization_scores(images, Fixed(4))
    assert scores == LocalizationScores(3, 4, 5)
    assert (scores.precision, scores.recall, scores.f) == (3 / 4, 3 / 5, pytest.approx(6 / 9))


def test_nobody_anywhere_is_zero_not_an_error():
    scores = localization_scores([(Points(), Points())], Fixed(4))
    assert (scores.precision, scores.recall, scores.f) == (0, 0, 0)


def test_nearest_neighbours_radius():
    truth = GroundTruth(Points([[0, 0], [3, 0], [0, 4]]))
    assert NearestNeighbours(2).radii(truth).tolist() == [3.5, 4.0, 4.5]
    assert NearestNeighbours(8).radii(truth).tolist() == [3.5, 4.0, 4.5]
    assert NearestNeighbours(8, lone=16).radii(GroundTruth(Points([[5, 5]]))).tolist() == [16]


@pytest.mark.realdata
def test_published_scores_of_published_points(shared_root):
    """FIDTM on the A test set, annotation of 2015: within 0.1 of what its authors print."""
    truth = read_entries(shared_root / "eval" / "sha_test_gt.txt")
    predicted = read_entries(shared_root / "eval" / "sha_test_fidtm_predictions.txt")
    images = [(predicted[name].points, truth[name].points) for name in truth]
    published = {4: (59.1, 58.2, 58.6), 8: (78.1, 77.0, 77.6)}
    for pixels, expected in published.items():
        scores = localization_scores(images, Fixed(pixels))
        ours = [100 * value for value in (scores.precision, scores.recall, scores.f)]
        assert ours == pytest.approx(expected, abs=0.1)
    counts = count_scores([len(t) for _, t in images], [len(p) for p, _ in images])
    assert (counts.images, counts.mae, counts.rmse) == (
        182,
        pytest.approx(57.0, abs=0.1),
        pytest.approx(103.4, abs=0.1),
    )
