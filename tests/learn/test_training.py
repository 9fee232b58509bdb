"""The trainer as a user runs it: killed and resumed, several processes, fine-tuning, density, export."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import crowdscale
from crowdscale.errors import DataError, ModelError, OptionError
from crowdscale.files.images import read_image
from crowdscale.learn.export.onnx import (
    CHECK_SIZES,
    check_equality,
    describe_folder,
    export_folder,
)
from crowdscale.learn.scaling import CentreOptions
from crowdscale.learn.training.loop import TrainOptions, _fabric, _only_writer, train
from crowdscale.learn.training.preparation import Start, gather, start_model
from crowdscale.models.description import read_config
from crowdscale.models.finding import find_model
from tests.support.commands import command_line, crowdscale_process
from tests.support.commands import crowdscale as crowdscale_command
from tests.support.learn_crowds import draw, write_folder

SMALL = (
    "--crops 24 --l2s-crops 16 --crop 64 --l2s-crop 64 --batch 2 --l2s-batch 2 --validate-every 12 "
    "--l2s-validate-every 8 --workers 0 --precision 32-true --pictures 1 --centre 12 --backbone-weights none"
)


ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}
"""Sums in the same order in every process, so that whole and resumed runs are equal to the bit."""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def words(folder, out, *more):
    return ["train", "--data", f"folder:{folder}", "--out", str(out), *SMALL.split(), *more]


def run(*args):
    """Train in this process: importing torch and the exporter anew takes longer than these trainings."""
    done = crowdscale_command(*words(*args))
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def run_processes(*args):
    done = crowdscale_process(*words(*args), env=ONE_THREAD)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("own")
    write_folder(root, [40, 30, 25, 0, 1, 50, 35, 20, 45, 60])
    return root


REGULAR = ("--skip-blocks", "0.3", "--mosaic", "0.3")


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "whole"
    run(folder, out, *REGULAR)
    return out


def state_of(out):
    return torch.load(out / "state.pt", weights_only=True)


@pytest.mark.slow
def test_a_run_leaves_a_model_a_journal_curves_and_pictures(trained):
    rows = (trained / "log.csv").read_text().splitlines()
    assert rows[0].startswith("phase,crops,minutes,loss_first")
    assert len(rows) == 1 + 2 + 2
    assert list((trained / "tensorboard").iterdir())
    progress = json.loads((trained / "progress.json").read_text())
    assert (progress["phase"], progress["step"], progress["steps"], progress["seconds_left"]) == (
        "l2s",
        8,
        8,
        0,
    )
    assert progress["crops_per_second"] > 0
    config = read_config(trained / "best")
    assert set(config.files) >= {"network.onnx", "weights.safetensors"}
    assert "validation" in config.training


@pytest.mark.slow
@pytest.mark.parametrize("steps", [3, 15], ids=["first phase", "second phase"])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(folder, trained, tmp_path, steps, monkeypatch):
    out = tmp_path / "killed"
    started = command_line(*words(folder, out, *REGULAR), "--save-every", "1")
    process = subprocess.Popen(started, stderr=subprocess.DEVNULL, env=ONE_THREAD)
    deadline, saved = time.monotonic() + 600, 0
    while time.monotonic() < deadline and process.poll() is None:
        path = out / "state.pt"
        if path.exists() and path.stat().st_mtime_ns != saved:
            saved, state = path.stat().st_mtime_ns, state_of(out)["state"]
            if state["step"] + 12 * (state["phase"] == "l2s") >= steps:
                break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL, "it ended before it was killed"
    for name in ("train._export", "train._measure"):  # of the whole run they are in other tests
        monkeypatch.setattr(f"crowdscale.cli.{name}", lambda *_: None)
    run(folder, out, *REGULAR)
    whole, resumed = state_of(trained), state_of(out)
    assert whole["state"] == resumed["state"]
    for part in ("model", "average"):
        different = [k for k, v in whole[part].items() if not torch.equal(v, resumed[part][k])]
        assert different == [], part


@pytest.mark.slow
def test_a_finished_run_is_not_begun_again(folder, trained):
    before = (trained / "log.csv").read_text()
    done = run(folder, trained, *REGULAR)
    assert (trained / "log.csv").read_text() == before
    assert f"Best model: {trained / 'best'}. Mean error on the held-out photos: " in done.stdout
    assert "largest difference from torch " in done.stdout
    assert "{" not in done.stdout + done.stderr


def test_two_trainings_do_not_write_one_folder(tmp_path):
    refused = pytest.raises(OptionError, match="Another training runs in")
    with _only_writer(tmp_path / "run"), refused, _only_writer(tmp_path / "run"):
        pass
    with _only_writer(tmp_path / "run"):
        pass


def test_a_gpu_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        OptionError, match=r"expected a CUDA device, but got a machine without one\. Use the device cpu"
    ):
        _fabric(TrainOptions(device="cuda"))


@pytest.mark.slow
def test_two_processes_of_which_one_has_no_region(tmp_path):
    root = tmp_path / "half_empty"
    root.mkdir()
    write_folder(root, [60, 0, 0, 0, 0, 0, 0, 0])
    out = tmp_path / "two"
    run_processes(
        root,
        out,
        "--devices",
        "2",
        "--batch",
        "1",
        "--l2s-batch",
        "1",
        "--crops",
        "4",
        "--hold-out-share",
        "0.2",
    )
    assert state_of(out)["state"]["phase"] == "l2s"


@pytest.mark.slow
def test_fine_tuning_starts_from_the_trained_weights(folder, trained, tmp_path):
    out = tmp_path / "tuned"
    done = run(
        folder,
        out,
        "--init",
        str(trained / "best"),
        "--crops",
        "0",
        "--l2s-crops",
        "4",
        "--lr",
        "0",
        "--l2s-lr",
        "0",
    )
    ours, theirs = (torch.load(x / "state.pt", weights_only=True)["model"] for x in (out, trained))
    assert ours.keys() == theirs.keys()
    config = read_config(out / "best")
    assert config.training["init"] == "mine"
    assert "Error on 1 held-out photo (" in done.stdout
    assert "before the training. Keep" in done.stdout  # a rate of 0 changes nothing
    assert "of 20 held-out photos that are needed" in done.stdout


@pytest.mark.slow
def test_the_paper_s_regime_takes_whole_photos_and_whole_regions_one_at_a_time(tmp_path):
    folder, out = tmp_path / "photos", tmp_path / "whole_photos"
    folder.mkdir()
    write_folder(folder, [20, 15, 25, 18], (80, 64))
    whole = "--regime paper --crop 0 --l2s-crop 0 --batch 1 --l2s-batch 1 --crops 2 --l2s-crops 2"
    often = "--validate-every 1 --l2s-validate-every 1 --pictures 1 --pictures-every 1"
    run(folder, out, *whole.split(), *often.split(), "--zoom-gradient")
    assert list((out / "pictures").glob("*.jpg"))
    config = read_config(out / "best")
    assert (config.backbone, config.block_counts) == ("vgg16", False)


@pytest.mark.slow
def test_another_network_with_dots_trains_exports_and_gives_both(folder, tmp_path):
    out = tmp_path / "mcnn"
    words = "--network mcnn --method density --dots --loss bayesian --closeness density --scaled-kernel"
    run(
        folder,
        out,
        *words.split(),
        "--crops",
        "8",
        "--l2s-crops",
        "4",
        "--area-high",
        "4",
        "--region-by",
        "box",
    )
    config = read_config(out / "best")
    assert (config.network, config.backbone, config.stride, config.feature_stride) == ("mcnn", "none", 32, 4)
    assert (config.zoom.area_high, config.rule.by, config.codec.dots) == (4.0, "box", True)
    pixels, _ = draw(150, 90, 20, 5)
    found, again = (crowdscale.load(out / "best", backend=e).predict(pixels) for e in ("onnx", "torch"))
    assert found.points is not None
    assert found.count == pytest.approx(max(0.0, found.density.sum()), abs=1e-3)
    assert found.count == pytest.approx(again.count, abs=1e-2)
    describe_folder(out / "best", dots=False)
    assert crowdscale.load(out / "best").predict(pixels).points is None


@pytest.mark.slow
def test_missing_graphs_are_written_and_other_weights_refused(bundled, tmp_path):
    best = tmp_path / "best"
    shutil.copytree(find_model(bundled), best)
    (best / "network.onnx").unlink()
    (best / "scale.onnx").write_bytes(b"of other weights")
    done = crowdscale_command("models", "export", best)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(read_config(best).files) == {"network.onnx", "scale.onnx", "weights.safetensors"}
    (best / "weights.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"weights\.safetensors"):
        export_folder(best, [])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "lite",
            "Error: expected the folder of a trained model, but got lite, a model that has its graphs.\n",
        ),
        ("none", "Error: no model.json in none\n"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(bundled, tmp_path, name, sentence):
    done = crowdscale_command("models", "export", name, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence)


@pytest.mark.slow
def test_a_hybrid_trains_exports_and_is_read_as_points_again(folder, tmp_path):
    out = tmp_path / "hybrid"
    run(folder, out, "--method", "hybrid", "--crops", "8", "--l2s-crops", "4")
    best = out / "best"
    photo = next(folder.glob("*.png"))
    found = crowdscale.load(best).predict(photo)
    again = crowdscale.load(best, backend="torch").predict(photo)
    assert found.density is not None
    assert found.density.sum() == pytest.approx(found.count, rel=1e-5)
    assert found.count == pytest.approx(again.count, abs=1e-2)
    describe_folder(best, method="points")
    export_folder(best, [])
    assert crowdscale.load(best).predict(photo).density is None
    with pytest.raises(OptionError, match="points or hybrid"):
        describe_folder(best, method="density")


def test_a_density_model_trains_exports_and_predicts(folder, tmp_path):
    out = tmp_path / "density"
    run(folder, out, "--method", "density", "--sigma", "3", "--crops", "8", "--l2s-crops", "4")
    predictor = crowdscale.load(out / "best")
    pixels, _ = draw(150, 90, 20, 5)
    prediction = predictor.predict(pixels)
    assert prediction.points is None
    assert prediction.count == pytest.approx(max(0.0, prediction.density.sum()), abs=0.1)


@pytest.mark.slow
def test_exported_equals_original_at_six_sizes(trained):
    photos = [draw(width, height, 5, height)[0] if height > 12 else draw(12, 12, 1, 0)[0][:1, :1]
              for height, width in CHECK_SIZES]  # fmt: skip
    difference = check_equality(trained / "best", photos)
    assert difference.output < 1e-3
    assert difference.area_factor < 1e-4


def test_torch_on_request_says_the_same_on_a_real_photo(bundled):
    photo = read_image(Path(__file__).parents[2] / "examples" / "auditorium.jpg").pixels[300:701, 700:1233]
    ours, theirs = (crowdscale.load(bundled, backend=e).predict(photo) for e in ("onnx", "torch"))
    assert ours.regions
    assert ours.count == pytest.approx(theirs.count, abs=1)  # a tie within float32 may fall either way
    assert [r.box for r in ours.regions] == [r.box for r in theirs.regions]
    assert [r.zoom for r in ours.regions] == pytest.approx([r.zoom for r in theirs.regions], abs=1e-3)


def test_a_model_that_goes_on_from_another_keeps_its_centre(bundled, tmp_path):
    write_folder(tmp_path, [2, 1, 2, 0, 1])  # no dense region anywhere
    gathered = gather([f"folder:{tmp_path}"], None, None, 0.2, 0)
    model, config = start_model(Start(init=bundled, name="tuned"), gathered, CentreOptions())
    kept = float(load_file(find_model(bundled) / "weights.safetensors")["centre.value"])
    assert 10 < kept < 20
    assert model.centre.value.item() == pytest.approx(kept)
    assert (config.name, config.training["init"]) == ("tuned", "lite")


def test_held_out_photos_are_not_trained_on(folder, tmp_path):
    gathered = gather([f"folder:{folder}"], None, None, 0.2, 0)
    assert not {s.name for s in gathered.samples} & {s.name for s in gathered.held_out}
    model, config = start_model(Start(backbone_weights="none"), gathered, CentreOptions(centre=9.0))
    with pytest.raises(DataError, match="apart"):
        train(
            model, config, gathered.samples, gathered.weights, gathered.samples[:1], tmp_path, TrainOptions()
        )


@pytest.mark.slow
def test_nano_inherits_from_lite_and_frozen_parts_stay(folder, trained, tmp_path):
    out = tmp_path / "nano"
    frozen = (
        "--backbone nano --freeze-norm --freeze-stride 8 --thinning 2 --l2s-frozen --crops 8 --l2s-crops 8"
    )
    run(folder, out, "--inherit", str(trained / "best"), *frozen.split(), "--ema", "0")
    ours = state_of(out)["model"]
    theirs = load_file(trained / "best" / "weights.safetensors")
    early = [
        name for name in ours if name.startswith(("network.backbone.stem", "network.backbone.blocks.4."))
    ]
    known = [name for name in early if "num_batches" not in name]
    assert known
    assert all(torch.equal(ours[name], theirs[name].float()) for name in known)
    later = "network.backbone.blocks.9.layers.0.weight"
    assert not torch.equal(ours[later], theirs[later].float())
    counted = load_file(out / "best" / "weights.safetensors")
    statistics = [name for name in counted if name.endswith("running_mean") and "levels.3" not in name]
    assert all(torch.equal(counted[name], theirs[name]) for name in statistics)
    config = read_config(out / "best")
    assert (config.backbone, config.training["inherited"]) == ("nano", "mine")
    assert crowdscale.load(out / "best").predict(next(folder.glob("*.png"))).count >= 0


@pytest.mark.slow
def test_a_second_phase_with_the_network_frozen_teaches_the_scale_net_alone(folder, trained, tmp_path):
    out = tmp_path / "frozen"
    dense = ("--region-below", "10")  # so little trained, it sees no region by the usual rule
    run(folder, out, "--init", str(trained / "best"), "--crops", "0", "--l2s-frozen", "--ema", "0", *dense)
    ours, theirs = state_of(out)["model"], load_file(trained / "best" / "weights.safetensors")
    same = {
        name: torch.equal(ours[name], theirs[name].float()) for name in theirs if "num_batches" not in name
    }
    assert all(equal for name, equal in same.items() if name.startswith("network."))
    assert not all(equal for name, equal in same.items() if name.startswith("scale_net."))
