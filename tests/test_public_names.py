"""Public names: a change here is a change for users. Former names work for one release and warn."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

import crowdscale
from crowdscale import Box, Prediction, PredictOptions, Region
from crowdscale.deprecation import former_names

FORMER = {
    Prediction: {
        "first_count": "first_pass_count",
        "first_points": "first_pass_points",
        "reduction": "read_scale",
        "impression": "appearance",
    },
    Region: {"factor": "zoom", "count_before": "first_pass_count", "count_after": "count"},
    PredictOptions: {
        "factor": "zoom",
        "again": "third_pass",
        "base": "read_scale",
        "bases": "read_scale_search",
    },
}
"""The current name by the former one, of each public class; CHANGELOG.md has the same table."""

FIELDS = {
    Prediction: {
        "count", "points", "map", "regions", "first_pass_count", "first_pass_points", "size", "model", "density",
        "cell", "read_scale", "tiles", "seconds", "calibration", "warnings", "turn", "usable", "appearance", "source",
        "calibrated_heads", "notes",
    },
    Region: {"box", "zoom", "first_pass_count", "count", "capped", "inner"},
    PredictOptions: {
        "refine", "zoom", "regions", "third_pass", "rule", "merge", "max_pixels", "read_scale", "tiles",
        "read_scale_search", "keep_map", "turn", "held_turn",
    },
}  # fmt: skip

NOTHING = Prediction(1.0, None, None, (), 2.0, None, (4, 3), "m", read_scale=0.5)
EXAMPLES = {
    Prediction: NOTHING,
    Region: Region(Box(0, 0, 2, 2), 1.5, 1.0, 2.0),
    PredictOptions: PredictOptions(),
}


def test_the_package_has_these_names():
    assert crowdscale.__all__ == [
        "Box", "CrowdscaleError", "Points", "PredictOptions", "Prediction", "Predictor", "Region", "Sample",
        "__version__", "load",
    ]  # fmt: skip
    assert all(getattr(crowdscale, name) for name in crowdscale.__all__)


@pytest.mark.parametrize("cls", FORMER)
def test_fields_and_former_names_are_pinned(cls):
    assert {each.name for each in fields(cls)} == FIELDS[cls]
    assert former_names(cls) == FORMER[cls]


@pytest.mark.parametrize(("cls", "former"), [(cls, name) for cls, names in FORMER.items() for name in names])
def test_a_former_name_works_and_warns_with_the_current_one(cls, former):
    example, current = EXAMPLES[cls], FORMER[cls][former]
    with pytest.warns(
        DeprecationWarning, match=rf"{cls.__name__}\.{former} is now {cls.__name__}\.{current}"
    ):
        assert getattr(example, former) == getattr(example, current)
    with pytest.warns(DeprecationWarning, match=current):
        changed = replace(example, **{former: getattr(example, current)})
    assert getattr(changed, current) == getattr(example, current)


def test_the_changelog_has_the_table():
    changelog = (Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
    for cls, names in FORMER.items():
        for former, current in names.items():
            assert f"| `{cls.__name__}.{former}` | `{cls.__name__}.{current}` |" in changelog


def test_importing_warns_of_nothing():
    code = "import crowdscale; crowdscale.PredictOptions(); crowdscale.Prediction"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
