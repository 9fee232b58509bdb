"""``crowdscale models``: what is here, what it scores, and what may be done with it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from crowdscale.cli.models.cards import validation_scores
from crowdscale.models import finding
from crowdscale.models.description import read_config
from tests.support.commands import crowdscale


def test_models_lists_the_bundled_one(bundled):
    done = crowdscale("models")
    assert done.returncode == 0
    line = rf"^ *{bundled} +hybrid +lite +\d+\.\d MB +MAE \d+\.\d, RMSE \d+\.\d *$"
    assert re.search(line, done.stdout, re.MULTILINE)


def test_models_shows_scores_and_licence(label_model, monkeypatch, tmp_path):
    monkeypatch.setenv("CROWDSCALE_CACHE", str(tmp_path))
    monkeypatch.setattr(finding, "BUNDLED", {"labels": label_model, "gone": tmp_path / "gone"})
    shown = crowdscale("models", "list").stdout
    assert re.search(r"labels +points +none +\d\.\d MB +MAE 1\.2, RMSE 2\.5", shown)
    assert "\n  labels: Apache-2.0\n" in shown
    assert "gone" not in shown


def test_models_shows_what_is_noted_of_validation_before_what_training_left(label_model):
    config = read_config(Path(label_model))
    scores = [
        {"data": "a, photos of validation.txt", "images": 3, "measures": {"MAE": [10.0], "RMSE": [20.0]}},
        {"data": "b, photos of validation.txt", "images": 1, "measures": {"MAE": [2.0, 1, 3], "RMSE": [0.0]}},
        {"data": "test", "images": 99, "measures": {"MAE": [50.0], "RMSE": [50.0]}},
    ]
    assert validation_scores(replace(config, notes={"scores": scores})) == "MAE 8.0, RMSE 17.3"
    assert validation_scores(replace(config, notes={"scores": scores[2:]})) == "MAE 1.2, RMSE 2.5"
    assert validation_scores(replace(config, training={})) == "unknown"


def test_models_without_any_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("CROWDSCALE_CACHE", str(tmp_path))
    monkeypatch.setattr(finding, "BUNDLED", {"gone": tmp_path / "gone"})
    assert "This installation has no models" in crowdscale("models").stdout
