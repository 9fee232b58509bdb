"""Options by their names: the command's defaults are the dataclasses', a regime sets many, what is typed counts."""

import inspect
from dataclasses import fields

import pytest

from crowdscale.cli.train import ABOUT_DATA, train
from crowdscale.errors import OptionError
from crowdscale.learn.training.settings import KINDS, choose_settings


def known_defaults():
    """Each option's default by its dataclass."""
    return {field.name: field.default for kind in KINDS for field in fields(kind)}


def test_the_command_has_the_defaults_of_the_options():
    shown = {name: p.default for name, p in inspect.signature(train).parameters.items() if name != "ctx"}
    options = {name: default for name, default in shown.items() if name not in ABOUT_DATA}
    known = known_defaults()
    assert {name: known[name] for name in options} == options


def test_options_of_training_are_all_on_the_command_line():
    shown = set(inspect.signature(train).parameters)
    kept_inside = {"crop_options", "pictures_every", "flip", "jitter"}
    assert set(known_defaults()) - shown == kept_inside


@pytest.mark.parametrize(("method", "rate"), [("points", 1e-4), ("density", 1e-7)])
def test_the_paper_s_regime(method, rate):
    paper = choose_settings("paper", method=method)
    assert (paper.train.lr, paper.train.backbone_lr, paper.train.l2s_lr) == (rate, rate, rate)
    assert (paper.train.optimizer, paper.train.beta1, paper.train.weight_decay) == ("adam", 0.95, 5e-4)
    assert (paper.train.batch, paper.train.crop_options.crop, paper.train.schedule) == (1, 0, "constant")
    assert (paper.losses.reduction, paper.losses.canvas, paper.centre.law) == ("sum", 0, "paper")
    assert (paper.centre.centre_rate, paper.start.backbone) == (1e-3, "vgg16")


def test_what_is_chosen_counts_over_the_regime():
    ours = choose_settings("paper", method="density", lr=3e-6, crop=256, law="spacing")
    assert (ours.train.lr, ours.train.l2s_lr, ours.train.crop_options.crop) == (3e-6, 1e-7, 256)
    assert ours.centre.law == "spacing"


@pytest.mark.parametrize(
    ("regime", "options", "words"),
    [
        ("theirs", {}, "ours, paper"),
        ("ours", {"crop_size": 3}, "l2s_crops"),
        ("ours", {"crop_options": 1}, "crop"),
    ],
    ids=["regime", "option", "not an option"],
)
def test_unknown_names_are_answered_with_the_known(regime, options, words):
    with pytest.raises(OptionError, match=words):
        choose_settings(regime, **options)
