"""Saving corrections: what is written trains, ignored areas are gone from it, bad input is a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from crowdscale.data.corrections import count_corrections, save_correction
from crowdscale.data.folder import Folder
from crowdscale.errors import CrowdscaleError
from crowdscale.points import Points
from tests.support.fakes import encoded, label_photo

HEADS = Points(np.array([(20.0, 30.0), (60.0, 32.0), (100.0, 90.0), (150.0, 60.0), (200.0, 120.0)]))


@pytest.fixture(scope="module")
def crowd() -> bytes:
    """A PNG of 240×160 pixels."""
    return encoded(label_photo(HEADS, 240, 160))


def test_a_saved_correction_is_read_as_training_data(tmp_path, crowd):
    heads = [[20.0, 30.0], [60.5, 32.25]]
    name = save_correction(tmp_path, "../../a b.png", crowd, json.dumps({"heads": heads}))
    assert name.startswith("a_b-")
    assert (tmp_path / name).read_bytes() == crowd
    (sample,) = Folder(tmp_path)
    assert sample.points.xy.tolist() == heads
    save_correction(tmp_path, "a b.png", crowd, json.dumps({"heads": []}))
    (sample,) = Folder(tmp_path)  # saved again, it is replaced
    assert len(sample.points) == 0


def test_ignored_areas_are_a_mask_and_the_photo_stays_as_it_is(tmp_path, crowd):
    text = json.dumps({"heads": [[20, 30], [100, 90]], "ignore": [[0, 0, 50, 60], [-9, 0, -3, 60]]})
    name = save_correction(tmp_path, "a.png", crowd, text)
    (sample,) = Folder(tmp_path)
    assert sample.points.xy.tolist() == [[100, 90]]
    assert (tmp_path / name).read_bytes() == crowd
    mask = np.ones((160, 240), bool)
    mask[:60, :50] = False
    np.testing.assert_array_equal(sample.read_mask(), mask)


def test_audited_tiles_leave_the_rest_of_the_photo_unknown_and_add_up(tmp_path, crowd):
    first = {"heads": [[20, 30], [60, 32], [239, 1]], "only": [[0, 0, 80, 80]]}
    save_correction(tmp_path, "a.png", crowd, json.dumps(first))
    (sample,) = Folder(tmp_path)
    assert sample.points.xy.tolist() == [[20, 30], [60, 32]]  # the third is in no tile
    assert np.argwhere(sample.read_mask()).max(axis=0).tolist() == [79, 79]
    more = {"heads": [[100, 90]], "only": [[80, 80, 160, 160], [0, 0, 80, 80]]}
    save_correction(tmp_path, "other name.png", crowd, json.dumps(more))
    (sample,) = Folder(tmp_path)  # the same photo: one tile is new, the other was counted again
    assert sample.points.xy.tolist() == [[100, 90]]
    assert sample.read_mask().sum() == 2 * 80 * 80
    whole = {"heads": [[20, 30], [100, 90]]}
    save_correction(tmp_path, "a.png", crowd, json.dumps(whole))
    with pytest.raises(CrowdscaleError, match="heads of all of it"):
        save_correction(tmp_path, "a.png", crowd, json.dumps(first))
    (sample,) = Folder(tmp_path)
    assert sample.mask is None
    assert len(sample.points) == 2


def test_what_an_earlier_version_saved_is_replaced(tmp_path, crowd):
    name = save_correction(tmp_path, "a.png", crowd, json.dumps({"heads": []}))
    stem = Path(name).stem
    (tmp_path / f"{stem}.json").unlink()
    (tmp_path / f"{stem}.csv").write_text("20,30\n")
    (tmp_path / f"{stem}.jpg").write_bytes(b"painted")
    assert count_corrections(tmp_path) == 1
    save_correction(tmp_path, "a.png", crowd, json.dumps({"heads": [[1, 2]]}))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{stem}.json", f"{stem}.png"]


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "{}",
        '{"heads": [[1]]}',
        '{"heads": [[1, NaN]]}',
        '{"heads": [[900, 5]]}',
        '{"heads": [], "ignore": [[1, 2]]}',
        '{"heads": [], "only": [[5, 5, 1, 1]]}',
        '{"heads": [], "only": 3}',
        '{"heads": [], "ignore": [[1e400, 2, 3, 4]]}',
        "[]",
    ],
)
def test_bad_corrections_write_nothing(tmp_path: Path, crowd, text):
    with pytest.raises(CrowdscaleError):
        save_correction(tmp_path, "a.png", crowd, text)
    assert not list(tmp_path.iterdir())
