"""``crowdscale models``: what is here, what it scores, and what may be done with it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from crowdscale.models.description import read_config


def test_models_lists_the_bundled_one(bundled):
    command = [sys.executable, "-m", "crowdscale", "models"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0
    assert re.search(
        rf"^ *{bundled} +hybrid +lite +\d+\.\d MB +MAE \d+\.\d, RMSE \d+\.\d ", done.stdout, re.MULTILINE
    )


def test_models_shows_scores_and_licence(label_model, monkeypatch, capsys, tmp_path):
    from crowdscale.cli.models import list_models
    from crowdscale.models import finding as weights

    monkeypatch.setenv("CROWDSCALE_CACHE", str(tmp_path))
    monkeypatch.setattr(weights, "BUNDLED", {"labels": label_model, "gone": tmp_path / "gone"})
    list_models()
    shown = capsys.readouterr().out
    assert re.search(r"labels +points +none +\d\.\d MB +MAE 1\.2, RMSE 2\.5 +Apache-2\.0", shown)
    assert "gone" not in shown


def test_models_shows_what_is_noted_of_validation_before_what_training_left(label_model):
    from crowdscale.cli.models import _scores

    config = read_config(Path(label_model))
    scores = [
        {"data": "a, photos of validation.txt", "images": 3, "measures": {"MAE": [10.0], "RMSE": [20.0]}},
        {"data": "b, photos of validation.txt", "images": 1, "measures": {"MAE": [2.0, 1, 3], "RMSE": [0.0]}},
        {"data": "test", "images": 99, "measures": {"MAE": [50.0], "RMSE": [50.0]}},
    ]
    assert _scores(replace(config, notes={"scores": scores})) == "MAE 8.0, RMSE 17.3"
    assert _scores(replace(config, notes={"scores": scores[2:]})) == "MAE 1.2, RMSE 2.5"
    assert _scores(replace(config, training={})) == "unknown"


def test_models_without_any_says_so(monkeypatch, capsys, tmp_path):
    from crowdscale.cli.models import list_models
    from crowdscale.models import finding as weights

    monkeypatch.setenv("CROWDSCALE_CACHE", str(tmp_path))
    monkeypatch.setattr(weights, "BUNDLED", {"gone": tmp_path / "gone"})
    list_models()
    assert "No model comes with this installation" in capsys.readouterr().out
