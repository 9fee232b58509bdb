"""Model cards show the description; those of the bundled models are current."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from crowdscale.errors import DataError, OptionError
from crowdscale.maps import DistanceLabels
from crowdscale.maps.regions import LabelRule
from crowdscale.metrics import GroundTruth, Scoring, score_image
from crowdscale.models.card import CARD, add_notes, card_text, parse_picture, read_scores
from crowdscale.models.description import ModelConfig, read_config
from crowdscale.models.finding import BUNDLED
from crowdscale.points import Points
from crowdscale.trust.appearance import FeatureCloud
from crowdscale.trust.intervals import Calibration, Check
from crowdscale.trust.profile import Alarms, Profile

PLAIN = ModelConfig("small", "points", "lite", DistanceLabels(), LabelRule(), licence="Apache-2.0")
CALIBRATION = Calibration(
    (0.5, 0.9), (0.1, 0.2), 10.0, 0.0, 5, 900, 60, ("drawn: 60 photos",), "They chose the weights, too.",
    Check("drawn: 60 photos", 60, (0.5, 0.9), (31, 55)), (Check("test: 40 photos", 40, (0.5, 0.9), (18, 35)),),
)  # fmt: skip
CLOUD = FeatureCloud(np.zeros(3), np.eye(3), 1.0).to_text()
FAMILIAR = Profile({"luminance": 50.0}, 600, 3, 1.0, CLOUD, (Alarms("70 photos of list.txt", 70, 3),))
SCORES = {
    "data": "x/test",
    "images": 182,
    "measures": {"MAE": [66.69, 54.2, 79.5], "NAE": [0.155], "F 4px": [0.58]},
}


@pytest.mark.parametrize("name", BUNDLED)
def test_the_card_of_a_bundled_model_is_up_to_date(name):
    """Where this fails: ``crowdscale models card NAME``."""
    folder = BUNDLED[name]
    config = read_config(folder, verify=False)
    size = sum((folder / file).stat().st_size for file in config.files)
    assert (folder / CARD).read_text(encoding="utf-8") == card_text(config, size)


def test_a_bare_model_names_its_missing_measurements():
    card = card_text(PLAIN)
    for sentence in ("Not calibrated", "None noted.", "Not measured", "Apache-2.0", "locates each head"):
        assert sentence in card


def test_a_model_in_8_bits_names_its_original():
    card = card_text(
        replace(PLAIN, precision="int8", training={"quantised": {"from": "large", "photos": 64}})
    )
    assert "It is large with convolutions in 8 bits" in card


def test_an_offset_is_on_the_card():
    assert "moved" not in card_text(PLAIN)
    config = replace(PLAIN, offset=(0.79, -0.5))
    assert "moved by (+0.79, -0.5) pixels" in card_text(config)
    assert ModelConfig.from_json(config.to_json()) == config


def test_a_described_model_shows_everything():
    config = add_notes(
        replace(PLAIN, calibration=CALIBRATION, familiar=FAMILIAR, training={"data": ["x/train: 9 photos"]}),
        [SCORES], ["Night is not known."], [("../a.jpg", "Rivets are no heads")], "0.2 s",
    )  # fmt: skip
    card = card_text(config, 14_000_000)
    for sentence in (
        "14.0 MB", "- x/train: 9 photos", "| x/test | 182 | 66.7 (54.2–79.5) | 0.155 | 58.0 |", "100: 78–122",
        "They chose the weights, too.", "90 % interval: held on 55 of 60 photos", "On test: 40 photos",
        "held on 35 of 40 photos, 87.5 % (95 % interval 73.2–95.8 %)", "Warnings on 3 of 70 photos of list.txt",
        "- Night is not known.", "![Rivets are no heads](../a.jpg)", "0.2 s", "This holds for photos like these",
    ):  # fmt: skip
        assert sentence in card
    assert ModelConfig.from_json(config.to_json()) == config


def test_scores_of_the_same_data_are_replaced_and_others_kept():
    config = add_notes(
        add_notes(PLAIN, [SCORES, {**SCORES, "data": "y"}]), [{**SCORES, "images": 5}], ["One."]
    )
    assert [(each["data"], each["images"]) for each in config.notes["scores"]] == [("y", 182), ("x/test", 5)]
    assert add_notes(config, limits=["Two."]).notes["limits"] == ["Two."]


def test_another_method_drops_the_measurements():
    config = replace(
        add_notes(PLAIN, [SCORES]), calibration=CALIBRATION, familiar=FAMILIAR, block_counts=True
    )
    hybrid = config.read_as("hybrid")
    assert (hybrid.calibration, hybrid.familiar, hybrid.notes) == (None, None, {})
    assert config.read_as("points") is config


def test_scores_are_read_from_evaluate_json(tmp_path):
    path = tmp_path / "scores.json"
    rows = [
        score_image(
            str(n), GroundTruth(Points([[10.0 * i, 5.0] for i in range(n)])), n + error, None, Scoring()
        )
        for n, error in ((10, 1), (20, -3), (40, 5))
    ]
    whole = {
        "data": ["x/test"], "scoring": Scoring().to_dict(), "rows": [row.to_dict() for row in rows],
    }  # fmt: skip
    path.write_text(json.dumps(whole))
    found = read_scores(path)
    assert (found["data"], found["images"]) == ("x/test", 3)
    value, low, high = found["measures"]["MAE"]
    assert value == 3.0
    assert 1 <= low < 3 < high <= 5
    for key in ("only", "list"):
        path.write_text(json.dumps({**whole, key: "docs/validation.txt"}))
        assert read_scores(path)["data"] == "x/test, photos of validation.txt"
    path.write_text("{}")
    with pytest.raises(DataError, match="evaluate --json"):
        read_scores(path)


def test_a_picture_without_caption_is_refused():
    assert parse_picture("a=b=c") == ("a", "b=c")
    with pytest.raises(OptionError, match="PATH=CAPTION"):
        parse_picture("a.jpg")
