"""Options of training: the command's are the dataclasses', a regime sets many, given options count in both."""

import re
from dataclasses import fields

import pytest

from crowdscale.cli.declared import declared_options
from crowdscale.cli.train import CLASSES, FIRST
from crowdscale.errors import OptionError
from crowdscale.learn.training.settings import KINDS, choose_settings, usual_regime
from tests.support.commands import crowdscale


def declared():
    """Each option by its name, as the command reads it from the source."""
    return {each.name: each for place in CLASSES for each in declared_options(*place.split(":"))}


def test_the_command_has_each_option_with_its_type_and_default():
    by_class = {field.name: field for kind in KINDS for field in fields(kind)}
    assert set(declared()) == set(by_class) - {"crop_options"}
    for name, option in declared().items():
        assert option.default == by_class[name].default
        assert by_class[name].default is None or isinstance(by_class[name].default, option.kind)


def test_each_option_has_its_docstring_as_help():
    assert [name for name, option in declared().items() if not option.help] == []
    text = crowdscale("train", "--help").stdout
    for name in declared():
        assert re.search(rf"^  --{name.replace('_', '-')} ", text, re.MULTILINE), name


def test_the_most_used_options_come_first():
    text = crowdscale("train", "-h").stdout
    names = re.findall(r"^  --([a-z0-9-]+) ", text, re.MULTILINE)
    assert names[: len(FIRST)] == [name.replace("_", "-") for name in FIRST]
    assert text.index("Most used:") < text.index("Training:") < text.index("Learning to scale:")


@pytest.mark.parametrize(("method", "rate"), [("points", 1e-4), ("density", 1e-7)])
def test_the_paper_s_regime(method, rate):
    paper = choose_settings("paper", method=method)
    assert (paper.train.lr, paper.train.backbone_lr, paper.train.l2s_lr) == (rate, rate, rate)
    assert (paper.train.optimizer, paper.train.beta1, paper.train.weight_decay) == ("adam", 0.95, 5e-4)
    assert (paper.train.batch, paper.train.crop_options.crop, paper.train.schedule) == (1, 0, "constant")
    assert (paper.losses.reduction, paper.losses.canvas, paper.centre.law) == ("sum", 0, "paper")
    assert (paper.centre.centre_rate, paper.start.backbone) == (1e-3, "vgg16")


def test_given_options_count_over_the_regime():
    ours = choose_settings("paper", method="density", lr=3e-6, crop=256, law="spacing")
    assert (ours.train.lr, ours.train.l2s_lr, ours.train.crop_options.crop) == (3e-6, 1e-7, 256)
    assert ours.centre.law == "spacing"


def test_a_lesson_is_short_gentle_and_measured_once():
    lesson = choose_settings("teach", init="lite").train
    ours = choose_settings("ours", init="lite").train
    assert (lesson.crops, lesson.l2s_crops, lesson.l2s_validate_every) == (0, 200, 200)
    assert lesson.lr < ours.lr
    assert lesson.warmup < lesson.l2s_crops // lesson.l2s_batch
    assert choose_settings("teach", init="lite", l2s_crops=2000).train.l2s_crops == 2000
    with pytest.raises(OptionError, match="--init"):
        choose_settings("teach")


@pytest.mark.parametrize(
    ("init", "photos", "regime"),
    [("lite", 10, "teach"), ("lite", 100, "teach"), ("lite", 101, "ours"), (None, 10, "ours")],
)
def test_few_photos_from_a_trained_model_are_a_lesson(init, photos, regime):
    assert usual_regime(init, photos) == regime


@pytest.mark.parametrize(
    ("regime", "options", "words"),
    [
        ("theirs", {}, "ours, paper, teach"),
        ("ours", {"crop_size": 3}, "l2s_crops"),
        ("ours", {"crop_options": 1}, "crop"),
    ],
    ids=["regime", "option", "not an option"],
)
def test_unknown_names_are_answered_with_the_existing(regime, options, words):
    with pytest.raises(OptionError, match=words):
        choose_settings(regime, **options)
