"""After training: errors before and after, intervals where enough photos were held out, warnings."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from crowdscale.counting.predictor import load
from crowdscale.data.sample import Sample
from crowdscale.files.images import write_image
from crowdscale.learn.training.measuring import measure_model
from crowdscale.models.description import read_config, write_config
from crowdscale.points import Points
from crowdscale.trust.appearance import FeatureCloud
from crowdscale.trust.profile import SENTENCES, Profile
from tests.support.fakes import label_photo

GRID = np.array([[x, y] for x in range(12, 120, 12) for y in range(12, 90, 12)], float)


def samples(root, number, unseen=0, light=0):
    """Annotated photos on which the model misses ``unseen`` people each."""
    random = np.random.default_rng(number)
    made = []
    root.mkdir(exist_ok=True)
    for index in range(number):
        known = random.choice(GRID, int(random.integers(10, 50)), replace=False)
        photo = label_photo(Points(known[unseen:]), 128, 96).astype(int) + light
        write_image(root / f"{index}.png", np.clip(photo, 0, 255).astype(np.uint8))
        made.append(Sample(str(index), root / f"{index}.png", Points(known)))
    return made


@pytest.fixture
def model(label_model, tmp_path):
    shutil.copytree(label_model, tmp_path / "model")
    return tmp_path / "model"


def test_enough_held_out_photos_give_intervals(model, tmp_path):
    sentences = measure_model(model, samples(tmp_path / "a", 3), samples(tmp_path / "b", 24, unseen=2))
    assert "24 held-out photos" in sentences[0]
    assert ": 2.0 people." in sentences[0]
    assert "intervals from these photos" in sentences[1]
    calibration = read_config(model).calibration
    assert (calibration.images, "checkpoints" in calibration.note) == (24, True)
    assert load(model).predict(tmp_path / "b" / "0.png").interval() is not None


def test_few_held_out_photos_give_a_sentence(model, tmp_path):
    sentences = measure_model(model, samples(tmp_path / "a", 3), samples(tmp_path / "b", 4))
    assert "without intervals: 4 of 20 held-out photos that are needed" in sentences[1]
    assert "models calibrate" in sentences[1]
    assert "No photo gets a warning: 3 training photos, 50 are needed" in sentences[2]
    config = read_config(model)
    assert (config.calibration, config.familiar) == (None, None)


def test_nothing_held_out(model, tmp_path):
    assert "No photo was held out" in measure_model(model, samples(tmp_path / "a", 3), [])[0]


def test_error_before_and_after(model, label_model, tmp_path):
    sentence = measure_model(model, [], samples(tmp_path / "b", 4, unseen=1), label_model)[0]
    assert "1.0 people, 1.0 before the training" in sentence
    assert "did not help" in sentence


def test_fine_tuned_model_keeps_warnings_and_knows_its_new_photos(model, label_model, tmp_path):
    """The parent warns of every photo as bright as the new ones; the fine-tuned model has seen those."""
    parent = tmp_path / "parent"
    shutil.copytree(label_model, parent)
    new = samples(tmp_path / "new", 5, light=40)
    bright = load(model).predict(new[0].image_path).appearance.light
    limits = {"luminance": 1.0, "glare": bright - 20, "people": 1000.0, "distance": 0.001}
    cloud = FeatureCloud(np.zeros(1), np.eye(1), 0.0).to_text()
    profile = Profile(limits, 600, 1, 1.0, cloud, upright="", doubt=0.0)
    write_config(parent, replace(read_config(parent), familiar=profile))
    sentences = measure_model(model, new, [], parent)
    assert "the 5 new ones get a warning" in sentences[2]
    kept = read_config(model).familiar
    assert "distance" not in kept.limits
    assert (kept.limits["luminance"], kept.limits["people"], kept.photos) == (1.0, 1000.0, 605)
    assert load(model).predict(new[0].image_path).warnings == ()
    glaring = np.full((96, 128, 3), 255, np.uint8)
    assert load(model).predict(glaring).warnings[0] == SENTENCES["glare"][1] + "."


def test_fifty_photos_give_a_profile_of_their_own(model, tmp_path):
    sentences = measure_model(model, samples(tmp_path / "a", 52), [])
    assert "unlike the 52 training photos" in sentences[2]
    assert read_config(model).familiar.photos == 52
