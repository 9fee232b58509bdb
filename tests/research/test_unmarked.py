"""Areas over crowds that a model finds and nobody marked."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crowdscale.data.opening import open_dataset
from crowdscale.errors import OptionError
from crowdscale.files.images import write_image
from crowdscale.points import Points
from research.unmarked import areas_without_marks, copy, unmarked
from tests.support.fakes import label_photo

SIZE = (400, 300)
FAR = np.array([[x, y] for y in (20, 32, 44) for x in range(20, 200, 12)], float)
"""A crowd of 45, 12 px apart."""


def covered(boxes, xy):
    x, y = xy
    return any(left <= x < right and top <= y < bottom for left, top, right, bottom in boxes)


def test_a_find_belongs_to_a_mark_within_its_width():
    marks, widths = np.array([[100.0, 100.0], [200.0, 100.0]]), np.array([40.0, 10.0])
    found = np.array([[120.0, 100.0], [130.0, 100.0], [206.0, 100.0], [210.0, 100.0]])
    assert unmarked(found, marks, widths).tolist() == [False, True, False, True]
    assert unmarked(found, np.empty((0, 2)), np.empty(0)).all()


def test_a_crowd_without_marks_is_ignored_and_nothing_else():
    marks, widths = np.array([[80.0, 200.0], [50.0, 32.0]]), np.array([40.0, 12.0])
    lonely = np.array([[350.0, 250.0], [300.0, 150.0]])
    boxes = areas_without_marks(np.concatenate([FAR, marks, lonely]), marks, widths, SIZE)
    far_from_marks = FAR[np.hypot(*(FAR - marks[1]).T) > 14]
    assert all(covered(boxes, xy) for xy in far_from_marks)
    assert not any(covered(boxes, xy) for xy in [*marks, *lonely, (80, 240), (390, 10)])
    assert all(
        0 <= left < right <= SIZE[0] and 0 <= top < bottom <= SIZE[1] for left, top, right, bottom in boxes
    )


@pytest.mark.parametrize("found", [FAR[:4], FAR[:0], FAR[::4] * [1, 3]], ids=["four", "none", "marked"])
def test_few_finds_or_marked_ones_ignore_nothing(found):
    marks = FAR[::4] * [1, 3]
    assert areas_without_marks(found, marks, np.full(len(marks), 12.0), SIZE) == []


def test_the_copy_is_a_folder_whose_areas_count_in_no_loss(label_model, tmp_path):
    folder = tmp_path / "hall"
    folder.mkdir()
    write_image(folder / "a.png", label_photo(Points(FAR), *SIZE))
    (folder / "a.json").write_text(
        json.dumps({"points": [[300, 250]], "sizes": [[30, 30]], "ignore": [[380, 280, 400, 300]]})
    )
    copy(str(label_model), [folder], tmp_path / "known")
    (sample,) = open_dataset(f"folder:{tmp_path / 'known' / 'hall'}").samples
    mask = sample.read_mask()
    assert mask is not None
    assert sample.points.xy.tolist() == [[300.0, 250.0]]
    assert mask[250, 300]
    assert not mask[FAR[:, 1].astype(int), FAR[:, 0].astype(int)].any()
    assert not mask[285, 385], "areas that were ignored before stay so"
    assert mask.mean() > 0.7
    assert sample.sizes.tolist() == [[30.0, 30.0]]


def test_a_copy_into_the_folder_itself_is_refused(label_model, tmp_path):
    folder = tmp_path / "hall"
    folder.mkdir()
    with pytest.raises(OptionError, match="--out apart from the folders"):
        copy(str(label_model), [folder], tmp_path)
    assert not list(folder.iterdir())
