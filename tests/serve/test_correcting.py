"""Saving corrections: what is written trains, ignored areas are gone from it, bad input is a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from crowdscale.data.folder import Folder
from crowdscale.errors import CrowdscaleError
from crowdscale.files.images import read_image
from crowdscale.serve.correcting import save_correction


def test_a_saved_correction_is_read_as_training_data(tmp_path, crowd):
    heads = [[20.0, 30.0], [60.5, 32.25]]
    name = save_correction(tmp_path, "../../a b.png", crowd, json.dumps({"heads": heads}), 10**6)
    assert name.startswith("a_b-")
    assert (tmp_path / name).read_bytes() == crowd
    (sample,) = Folder(tmp_path)
    assert sample.points.xy.tolist() == heads
    save_correction(tmp_path, "a b.png", crowd, json.dumps({"heads": []}), 10**6)
    (sample,) = Folder(tmp_path)  # saved again, it is replaced
    assert len(sample.points) == 0


def test_ignored_areas_are_flat_and_without_heads(tmp_path, crowd):
    text = json.dumps({"heads": [[20, 30], [100, 90]], "ignore": [[0, 0, 50, 60]]})
    name = save_correction(tmp_path, "a.png", crowd, text, 10**6)
    (sample,) = Folder(tmp_path)
    assert sample.points.xy.tolist() == [[100, 90]]
    saved, before = (read_image(each).pixels.astype(int) for each in (tmp_path / name, crowd))
    assert np.ptp(saved[4:52, 4:44]) <= 6  # JPEG
    assert np.ptp(before[4:52, 4:44]) > 100
    assert np.abs(saved - before)[64:, 64:].max() < 40


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "{}",
        '{"heads": [[1]]}',
        '{"heads": [[1, NaN]]}',
        '{"heads": [[900, 5]]}',
        '{"heads": [], "ignore": [[1, 2]]}',
        "[]",
    ],
)
def test_bad_corrections_write_nothing(tmp_path: Path, crowd, text):
    with pytest.raises(CrowdscaleError):
        save_correction(tmp_path, "a.png", crowd, text, 10**6)
    assert not list(tmp_path.iterdir())
