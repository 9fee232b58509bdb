"""Tuning: windows, ceilings and the gain of the zoom, tried on photos and written into the description."""

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from crowdscale.cli.main import app
from crowdscale.counting.predictor import PredictOptions, Predictor, load
from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, OptionError
from crowdscale.evaluation.tuning import measure_offset, tune
from crowdscale.files.images import write_image
from crowdscale.maps import Density
from crowdscale.maps.regions import DensityRule
from crowdscale.models.description import ModelConfig, ZoomOptions, read_config
from crowdscale.points import Box, Points
from tests.support.fakes import TruthBackend, coordinate_photo, label_photo, truth_config, write_label_model

BOX = Box(20, 10, 100, 80)
GRID = Points(
    np.stack(np.meshgrid(np.arange(14, 110, 8), np.arange(14, 80, 8)), -1).reshape(-1, 2).astype(float)
)


def photo(folder, pixels, points=GRID):
    write_image(folder / "photo.png", pixels)
    return Sample("photo", folder / "photo.png", points)


@pytest.mark.parametrize(("gain", "factor"), [(1.0, 1.5), (1.2, 1.8), (3.0, 5**0.5), (0.2, 0.5**0.5)])
def test_a_gain_multiplies_the_learned_side_factor_before_its_limits(gain, factor):
    config = truth_config(BOX, zoom=ZoomOptions(gain=gain))
    found = Predictor(TruthBackend(GRID, area=2.25), config, PredictOptions()).predict(
        coordinate_photo(120, 90)
    )
    assert found.regions[0].zoom == pytest.approx(factor)
    fixed = Predictor(TruthBackend(GRID), config, PredictOptions(zoom=1.3)).predict(coordinate_photo(120, 90))
    assert fixed.regions[0].zoom == pytest.approx(1.3)


def test_every_combination_is_tried_and_the_best_comes_first(tmp_path):
    predictor = load(write_label_model(tmp_path / "model"))
    samples = [photo(tmp_path, label_photo(GRID, 120, 90))]
    trials = tune(predictor, samples, windows=(3, 25), gains=(1.0, 1.2))
    ways = {(trial.config.codec.window, trial.config.zoom.gain) for trial in trials}
    assert ways == {(3, 1.0), (3, 1.2), (25, 1.0), (25, 1.2)}
    errors = [trial.evaluation.counting("refined").mae for trial in trials]
    assert errors == sorted(errors)
    assert trials[0].config.codec.window == 3  # heads 8 px apart melt within 25
    alone = tune(predictor, samples, gains=(1.2,))[0]
    assert alone.config == replace(predictor.config, zoom=replace(predictor.config.zoom, gain=1.2))


def test_sizes_below_which_photos_are_enlarged_are_tried(tmp_path):
    heads = Points(GRID.xy * 1.0)
    predictor = Predictor(TruthBackend(heads), truth_config(), PredictOptions(refine=False))
    samples = [photo(tmp_path, coordinate_photo(120, 90), heads)]
    trials = tune(predictor, samples, enlarged=(0, 40_000))
    assert {trial.config.enlarge_below for trial in trials} == {0, 40_000}
    assert all(replace(trial.config, enlarge_below=0) == predictor.config for trial in trials)


def test_of_equal_ways_the_model_stays_as_it_is(tmp_path):
    predictor = load(write_label_model(tmp_path / "model"))
    nobody = photo(
        tmp_path, label_photo(Points([[5, 5]]), 120, 90), Points([[5, 5]])
    )  # without a dense region
    assert tune(predictor, [nobody], gains=(1.3, 1.0))[0].config == predictor.config


def test_what_cannot_be_tried_is_refused():
    density = ModelConfig("d", "density", "none", Density(), DensityRule())
    reader = Predictor(TruthBackend(GRID), density, PredictOptions())
    with pytest.raises(OptionError, match="expected a points model"):
        tune(reader, [], windows=(3,))
    with pytest.raises(OptionError, match="to try"):
        tune(reader, [])
    baseline = Predictor(reader.backend, replace(density, refines=False), PredictOptions())
    with pytest.raises(OptionError, match="learned to scale"):
        tune(baseline, [], gains=(1.2,))
    with pytest.raises(OptionError, match="third pass"):
        PredictOptions(zoom=lambda box: 2.0, third_pass=True)
    with pytest.raises(OptionError, match="gain from"):
        ZoomOptions(gain=0)


def model_and_photos(folder, annotated):
    """A model with notes; a folder with a photo of GRID, annotated otherwise."""
    model = write_label_model(folder / "model")
    config = replace(read_config(model), notes={"limits": "with another zoom", "scores": []})
    (model / "model.json").write_text(config.to_json(), encoding="utf-8")
    (folder / "photos").mkdir()
    write_image(folder / "photos" / "crowd.png", label_photo(GRID, 120, 90))
    lines = "\n".join(f"{x},{y}" for x, y in annotated.xy)
    (folder / "photos" / "crowd.csv").write_text(f"x,y\n{lines}\n", encoding="utf-8")
    return model, folder / "photos"


def test_the_best_is_written_and_what_was_measured_before_is_dropped(tmp_path):
    model, photos = model_and_photos(tmp_path, GRID)
    words = ["models", "tune", str(model), "--data", f"folder:{photos}", "--gain", "1.25", "--write"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "| 5 | 6 | 1.25 |" in done.output
    written = read_config(model)
    assert (written.zoom.gain, written.notes) == (1.25, {})
    again = CliRunner().invoke(app, ["models", "tune", str(model), "--data", f"folder:{photos}"])
    assert again.output.count("\n| 3 |") == again.output.count("\n| 5 |") == 5


def test_dots_are_moved_to_where_annotators_put_heads(tmp_path):
    model, photos = model_and_photos(tmp_path, GRID.shift(1.25, -0.5))
    config = read_config(model)
    before = load(model).predict(photos / "crowd.png")
    words = ["models", "tune", str(model), "--data", f"folder:{photos}", "--offset", "--write"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "px from located heads (medians of 108 pairs)" in done.output
    offset = read_config(model).offset
    assert offset == pytest.approx((1.25, -0.5), abs=0.1)  # dots of an enlarged region are off by a tenth
    assert read_config(model) == replace(config, offset=offset, notes={"limits": "with another zoom"})
    after = load(model).predict(photos / "crowd.png")
    assert after.count == before.count == 108
    for moved, found in ((after.points, before.points), (after.first_pass_points, before.first_pass_points)):
        assert np.allclose(moved.xy - found.xy, offset)
    again = CliRunner().invoke(app, words)  # the model's own offset is left out
    assert again.output == done.output


def test_moved_dots_stay_in_the_photo():
    heads = Points([[5, 5], [117, 40], [60, 85]])
    moving = Predictor(TruthBackend(heads), replace(truth_config(), offset=(4.0, 6.0)))
    found = moving.predict(coordinate_photo(120, 90)).points
    assert sorted(found.xy.tolist()) == [[9, 11], pytest.approx([64, 89], abs=0.1), [119, 46]]


def test_an_offset_that_cannot_be_measured_is_refused(tmp_path):
    few = Points([[20, 20], [60, 60]])
    sample = photo(tmp_path, coordinate_photo(120, 90), few)
    with pytest.raises(DataError, match="100 annotated heads near a located one, but got 2"):
        measure_offset(Predictor(TruthBackend(few), truth_config()), [sample])
    density = ModelConfig("d", "density", "none", Density(), DensityRule(), refines=False)
    with pytest.raises(OptionError, match="locates heads"):
        measure_offset(Predictor(TruthBackend(few), density), [sample])
