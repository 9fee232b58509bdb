"""``crowdscale calibrate`` and ``acquaint`` on photos whose people a tiny model counts nearly right."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from crowdscale.cli.acquaint import acquaint
from crowdscale.cli.calibrate import calibrate
from crowdscale.counting.predictor import load
from crowdscale.errors import DataError, OptionError
from crowdscale.files.images import write_image
from crowdscale.models.description import read_config
from crowdscale.points import Points
from tests.support.fakes import label_photo


def write_photos(root, number, seed, shown=1.0, light=0):
    """Photos with points on a grid of which all, or a share, can be seen."""
    random = np.random.default_rng(seed)
    for index in range(number):
        grid = np.array([[x, y] for x in range(12, 120, 12) for y in range(12, 90, 12)], float)
        known = random.choice(grid, int(random.integers(10, 50)), replace=False)
        seen = known[: max(2, round(len(known) * random.uniform(shown, 1)))]
        photo = label_photo(Points(seen), 128, 96)
        write_image(root / f"{index:02d}.png", np.clip(photo.astype(int) + light, 0, 255).astype(np.uint8))
        rows = "".join(f"{x},{y}\n" for x, y in known)
        (root / f"{index:02d}.csv").write_text(f"x,y\n{rows}")
    return f"folder:{root}"


@pytest.fixture
def model(label_model, tmp_path):
    shutil.copytree(label_model, tmp_path / "model")
    return tmp_path / "model"


def run(command, *arguments, **options):
    """Call a command as typer does, with the defaults of what is not given."""
    usual = {
        calibrate: {
            "listed": None,
            "border": None,
            "across": False,
            "note": "",
            "check": False,
            "write": False,
            "threads": 1,
        },
        acquaint: {"held_out": None, "turned": 24, "write": False, "threads": 1},
    }
    command(*arguments, **{**usual[command], **options})


def test_a_calibrated_model_gives_intervals_and_is_checked(model, tmp_path, capsys):
    data = write_photos(tmp_path, 24, 0, shown=0.8)
    run(calibrate, str(model), [data], note="Drawn.", write=True)
    told = capsys.readouterr().out
    assert "Cross-fitted" in told
    assert "photos like these" in told
    known = read_config(model).calibration
    assert (known.images, known.note, known.checks) == (24, "Drawn.", ())
    prediction = load(model).predict(tmp_path / "00.png")
    assert prediction.interval().low <= prediction.count <= prediction.interval().high
    (tmp_path / "more").mkdir()
    more = write_photos(tmp_path / "more", 8, 1, shown=0.8)
    for _ in range(2):
        run(calibrate, str(model), [more], check=True, write=True)
    checked = read_config(model).calibration
    assert checked.quantiles == known.quantiles
    assert [check.images for check in checked.checks] == [8]
    assert "Warnings on 0 of 8 photos" in capsys.readouterr().out


def test_each_domain_is_judged_by_the_others(model, tmp_path, capsys):
    for name, number in (("first", 14), ("second", 10)):
        (tmp_path / name).mkdir()
        write_photos(tmp_path / name, number, number, shown=0.8)
    data = [f"folder:{tmp_path / name}" for name in ("first", "second")]
    run(calibrate, str(model), data, across=True, border=[0.1, 0.0], write=True)
    assert "Cross-fitted, each domain judged by the others" in capsys.readouterr().out
    known = read_config(model).calibration
    assert known.data == ("folder first: 14 photos", "folder second: 10 photos")
    assert known.cross_fitted.images == 24
    assert known.cross_fitted.data.endswith("each domain judged by the others")
    with pytest.raises(OptionError, match="--border"):
        run(calibrate, str(model), data, border=[0.1])


def test_a_model_without_calibration_cannot_be_checked(model, tmp_path):
    with pytest.raises(OptionError, match="calibrated model for --check"):
        run(calibrate, str(model), ["folder:x"], check=True)


def test_an_acquainted_model_warns_of_the_dark(model, tmp_path, capsys):
    for name in ("train", "dark"):
        (tmp_path / name).mkdir()
    data = write_photos(tmp_path / "train", 60, 2)
    (tmp_path / "held.txt").write_text("".join(f"folder/{index:02d}\n" for index in range(4)))
    run(acquaint, str(model), [data], held_out=tmp_path / "held.txt", write=True)
    familiar = read_config(model).familiar
    assert familiar.photos == 56
    assert [each.images for each in familiar.alarms] == [4]
    assert familiar.reading is not None
    assert familiar.doubt < 1
    assert "of 4 photos of held.txt" in capsys.readouterr().out
    write_photos(tmp_path / "dark", 1, 3, light=-90)
    assert any(
        "darker" in sentence for sentence in load(model).predict(tmp_path / "dark" / "00.png").warnings
    )
    assert load(model).predict(tmp_path / "train" / "30.png").warnings == ()


def test_a_model_is_acquainted_without_turned_photos_where_asked(model, tmp_path):
    data = write_photos(tmp_path, 50, 2)
    run(acquaint, str(model), [data], turned=0, write=True)
    familiar = read_config(model).familiar
    assert familiar.reading is None


def test_few_photos_are_refused(model, tmp_path):
    data = write_photos(tmp_path, 5, 4)
    with pytest.raises(DataError, match="50 training photos"):
        run(acquaint, str(model), [data])
    with pytest.raises(DataError, match="20 annotated photos"):
        run(calibrate, str(model), [data])
