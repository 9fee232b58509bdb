"""``crowdscale models calibrate`` and ``profile`` on photos that a tiny model counts nearly right."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from crowdscale.counting.predictor import load
from crowdscale.files.images import write_image
from crowdscale.models.description import read_config, write_config
from crowdscale.points import Points
from crowdscale.trust.confidence import HeadConfidence
from tests.support.commands import crowdscale
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


def calibrate(model, *arguments):
    return crowdscale("models", "calibrate", model, "--threads", 1, *arguments)


def profile(model, *arguments):
    return crowdscale("models", "profile", model, "--threads", 1, "--turned", 24, *arguments)


def test_a_calibrated_model_gives_intervals_and_is_checked(model, tmp_path):
    data = write_photos(tmp_path, 24, 0, shown=0.8)
    printed = calibrate(model, "--data", data, "--note", "Drawn.", "--write").stdout
    assert "Cross-fitted" in printed
    assert "photos like these" in printed
    calibration = read_config(model).calibration
    assert (calibration.images, calibration.note, calibration.checks) == (24, "Drawn.", ())
    prediction = load(model).predict(tmp_path / "00.png")
    assert prediction.interval().low <= prediction.count <= prediction.interval().high
    (tmp_path / "more").mkdir()
    more = write_photos(tmp_path / "more", 8, 1, shown=0.8)
    for _ in range(2):
        done = calibrate(model, "--data", more, "--check", "--write")
    checked = read_config(model).calibration
    assert checked.quantiles == calibration.quantiles
    assert [check.images for check in checked.checks] == [8]
    assert "Warnings on 0 of 8 photos" in done.stdout


def test_each_domain_is_judged_by_the_others(model, tmp_path):
    for name, number in (("first", 14), ("second", 10)):
        (tmp_path / name).mkdir()
        write_photos(tmp_path / name, number, number, shown=0.8)
    data = [word for name in ("first", "second") for word in ("--data", f"folder:{tmp_path / name}")]
    done = calibrate(model, *data, "--across-domains", "--border", 0.1, "--border", 0, "--write")
    assert "Cross-fitted, each domain judged by the others" in done.stdout
    calibration = read_config(model).calibration
    assert calibration.data == ("folder first: 14 photos", "folder second: 10 photos")
    assert calibration.cross_fitted.images == 24
    assert calibration.cross_fitted.data.endswith("each domain judged by the others")
    assert "expected one --border for each --data" in calibrate(model, *data, "--border", 0.1).stderr


def test_lists_choose_the_photos(model, tmp_path):
    data = write_photos(tmp_path, 30, 0)
    (tmp_path / "few.txt").write_text("".join(f"folder/{index:02d}\n" for index in range(24)))
    for option, photos in (("--only", 24), ("--list", 24)):
        done = calibrate(model, "--data", data, option, tmp_path / "few.txt")
        assert f": {photos} photos of few.txt" in done.stdout
        assert done.stderr == (
            ""
            if option == "--only"
            else "Note: --list is now --only; the old name works until the next release.\n"
        )
    done = calibrate(model, "--data", data, "--hold-out", tmp_path / "few.txt")
    assert "but got 6" in done.stderr


def test_a_model_without_intervals_cannot_be_checked(model):
    done = calibrate(model, "--data", "folder:x", "--check")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Error: {model} has no intervals to check. Run calibrate without --check first.\n"


def test_a_profile_is_of_the_photos_of_only_and_its_warnings_of_those_held_out(model, tmp_path):
    data = write_photos(tmp_path, 66, 2)
    for name, numbers in (("trained.txt", range(54)), ("held.txt", range(52, 60))):
        (tmp_path / name).write_text("".join(f"folder/{number:02d}\n" for number in numbers))
    profile(
        model,
        "--data",
        data,
        "--only",
        tmp_path / "trained.txt",
        "--hold-out",
        tmp_path / "held.txt",
        "--write",
    )
    familiar = read_config(model).familiar
    assert familiar.photos == 52
    assert [each.images for each in familiar.alarms] == [8]


def test_a_model_with_a_profile_warns_of_the_dark(model, tmp_path):
    for name in ("train", "dark"):
        (tmp_path / name).mkdir()
    data = write_photos(tmp_path / "train", 60, 2)
    (tmp_path / "held.txt").write_text("".join(f"folder/{index:02d}\n" for index in range(4)))
    done = profile(model, "--data", data, "--hold-out", tmp_path / "held.txt", "--write")
    familiar = read_config(model).familiar
    assert familiar.photos == 56
    assert [each.images for each in familiar.alarms] == [4]
    assert familiar.reading is not None
    assert familiar.doubt < 1
    assert "of 4 photos of held.txt" in done.stdout
    write_photos(tmp_path / "dark", 1, 3, light=-90)
    warnings = load(model).predict(tmp_path / "dark" / "00.png").warnings
    assert any("darker" in sentence for sentence in warnings)
    assert load(model).predict(tmp_path / "train" / "30.png").warnings == ()


def test_a_profile_reads_the_networks_own_confidences(model, tmp_path):
    """A calibrated curve of heads changes no limit, since warnings read what the network says."""
    data = write_photos(tmp_path, 50, 2)
    profile(model, "--data", data, "--turned", 0, "--write")
    plain = read_config(model).familiar
    curve = HeadConfidence(offset=2.0, slope=0.5, radius=8.0, heads=100, photos=50)
    write_config(model, replace(read_config(model), confidence=curve))
    done = profile(model, "--data", data, "--turned", 0, "--write")
    assert read_config(model).familiar.limits == plain.limits
    assert read_config(model).confidence == curve, done.stderr


def test_a_profile_needs_no_turned_photos(model, tmp_path):
    data = write_photos(tmp_path, 50, 2)
    assert profile(model, "--data", data, "--turned", 0, "--write").returncode == 0
    assert read_config(model).familiar.reading is None


def test_few_photos_are_refused(model, tmp_path):
    data = write_photos(tmp_path, 5, 4)
    assert "50 training photos" in profile(model, "--data", data).stderr
    assert "20 annotated photos" in calibrate(model, "--data", data).stderr


def test_heads_get_probabilities_and_stay_where_they_are(model, tmp_path):
    """Of some heads that can be seen nobody annotated a quarter: those are wrong."""
    data = write_photos(tmp_path, 24, 2)
    for path in tmp_path.glob("*.csv"):
        rows = path.read_text().splitlines()
        path.write_text("\n".join([rows[0], *(row for i, row in enumerate(rows[1:]) if i % 4)]) + "\n")
    before = load(model).predict(tmp_path / "00.png")
    assert not before.calibrated_heads
    printed = calibrate(model, "--data", data, "--heads", "--write").stdout
    assert "right within 8 px" in printed
    config = read_config(model)
    assert config.calibration is None
    after = load(model).predict(tmp_path / "00.png")
    assert after.calibrated_heads
    assert after.count == before.count
    assert after.points.xy.tolist() == before.points.xy.tolist()
    assert after.points.confidence.mean() == pytest.approx(0.75, abs=0.06)
    assert (
        after.points.confidence.tolist() == config.confidence.probability(before.points.confidence).tolist()
    )
    again = calibrate(
        model, "--data", data, "--heads"
    ).stdout  # of the network's own values, not of probabilities
    assert again == printed
    assert "probability that a person is within 8 px" in crowdscale("models", "show", model).stdout


def test_heads_and_intervals_are_calibrated_apart(model, tmp_path):
    data = write_photos(tmp_path, 2, 3)
    done = calibrate(model, "--data", data, "--heads", "--check")
    assert (done.returncode, "--heads" in done.stderr) == (2, True)
    done = calibrate(model, "--data", data, "--heads")
    assert (done.returncode, "200 located heads" in done.stderr) == (2, True)
    assert "Uncalibrated: a confidence orders heads" in crowdscale("models", "show", model).stdout
