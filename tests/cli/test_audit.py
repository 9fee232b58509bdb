"""``crowdscale audit`` as a user types it: begin, fill in, go on, report, check."""

import csv
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crowdscale.cli.main import main
from crowdscale.data.folder import Folder
from crowdscale.files.images import write_image
from crowdscale.points import Points
from crowdscale.trust.audit.tiles import TileView
from crowdscale.trust.audit.worksheet import Worksheet
from tests.support.commands import CROWD, FEW, crowdscale
from tests.support.fakes import label_photo
from tests.support.films import write_film

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path, label_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run the command in the folder of two photos."""
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "crowd.png", label_photo(CROWD, 240, 200))
    write_image(tmp_path / "trip" / "few.png", label_photo(FEW, 240, 200))
    write_image(tmp_path / "trip" / "crowd.png", label_photo(CROWD, 240, 200))

    def call(*arguments: object) -> tuple[int, str, str]:
        more = (
            []
            if "--check" in arguments and "--predict" not in arguments
            else ["--model", str(label_model), "--threads", "1"]
        )
        monkeypatch.setattr(sys, "argv", ["crowdscale", "audit", *map(str, arguments), *more])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


def fill(sheet: Worksheet, heads: Points = CROWD, tiles: int = 100) -> None:
    """Write the true people of each tile into the table."""
    plan = sheet.load().plan
    with sheet.table_file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row, cell in zip(rows[:tiles], plan.order(len(rows)), strict=False):
        row |= {"people": str(len(heads.inside(plan.cells[cell].box))), "at": "noon"}
    with sheet.table_file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_begin_fill_in_report_and_check(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("crowd.png", "--tiles", 8)
    sheet = Worksheet(tmp_path / "crowd_audit")
    assert code == 0
    assert "by the model alone" in out
    assert "Count the people in the bright part of crowd_audit/tiles/tile_001.png to tile_008.png." in out
    assert len(list(sheet.tiles.iterdir())) == 8
    assert not (sheet.folder / "predictions").exists()
    fill(sheet)
    code, out, _ = run(
        "crowd.png", "--tiles", 8, "--by", "Ada", "--note", "Square", "--report", "report.html"
    )
    assert code == 0
    assert "90 % interval" in out
    assert "8 of 23 tiles counted by hand" in out
    record = sheet.load()
    assert [(answer.by, answer.at) for answer in record.answers] == [("Ada", "noon")] * 8
    estimate = record.estimate()
    assert estimate.low <= len(CROWD) <= estimate.high  # type: ignore[operator]
    code, out, _ = run("--check", "report.html", "crowd.png")
    assert code == 0
    assert out.count("holds  ") == 9
    assert "unknown  Marked heads" in out
    assert "holds    The model predicts" in run("--check", "report.html", "crowd.png", "--predict")[1]
    assert "needs each photo" in run("--check", "report.html", "--predict")[1]
    code, out, _ = run("--check", "report.html", "trip")
    assert code == 1
    assert "trip/few.png is no photo of this audit" in out


def test_all_tiles_are_exact(run: Run, tmp_path: Path) -> None:
    run("crowd.png", "--tiles", 999)
    fill(Worksheet(tmp_path / "crowd_audit"))
    code, out, _ = run("crowd.png", "--quiet")
    assert (code, out) == (0, f"{len(CROWD)} people, exact: all 23 tiles counted by hand.\n")


def test_heads_marked_on_the_tiles_are_moved_into_the_photo(run: Run, tmp_path: Path) -> None:
    run("crowd.png", "--tiles", 5)
    sheet = Worksheet(tmp_path / "crowd_audit")
    plan = sheet.load().plan
    for tile, cell in enumerate(plan.order(5), start=1):
        view = TileView.of(plan.cells[cell].box, (240, 200))
        np.savetxt(
            sheet.picture(tile).with_suffix(".csv"), view.to_picture(CROWD.inside(view.shown).xy), "%.3f", ","
        )
    code, _, err = run("crowd.png", "--tiles", 5)
    assert (code, err) == (0, "")
    record = sheet.load()
    true = [CROWD.inside(plan.cells[cell].box).xy for cell in plan.order(5)]
    assert record.counts == tuple(map(len, true))
    marked = [np.array(answer.heads).reshape(-1, 2) for answer in record.answers]
    assert np.concatenate(marked) == pytest.approx(np.concatenate(true), abs=0.02)
    assert sum(record.counts) > 0


def test_marked_tiles_are_saved_for_training_and_the_rest_is_ignored(run: Run, tmp_path: Path) -> None:
    np.savetxt(tmp_path / "heads.csv", CROWD.xy, "%.3f", ",")
    code, out, _ = run("crowd.png", "--heads", "heads.csv", "--tiles", 4, "--corrections", "taught")
    assert code == 0
    assert "Saved the tiles of 1 photo for training in taught." in out
    assert "crowdscale train --data folder:taught --init labels" in out
    plan = Worksheet(tmp_path / "crowd_audit").load().plan
    boxes = [plan.cells[cell].box for cell in plan.order(4)]
    (sample,) = Folder(tmp_path / "taught")
    assert len(sample.points) == sum(len(CROWD.inside(box)) for box in boxes)
    assert sample.read_mask().sum() == sum(box.area for box in boxes)
    (photo,) = (tmp_path / "taught").glob("crowd-*.png")
    assert photo.read_bytes() == (tmp_path / "crowd.png").read_bytes()
    with photo.with_suffix(".json").open() as stream:
        whole = {**json.load(stream), "only": []}
    photo.with_suffix(".json").write_text(json.dumps(whole))
    code, _, err = run("crowd.png", "--tiles", 4, "--corrections", "taught")
    assert (code, "heads of all of it" in err) == (1, True)


def test_numbers_alone_are_no_training_data(run: Run, tmp_path: Path) -> None:
    run("crowd.png", "--tiles", 3)
    table = tmp_path / "crowd_audit" / "counts.csv"
    table.write_text("tile,people\n1,3\n2,2\n")
    code, _, err = run("crowd.png", "--tiles", 3, "--corrections", "taught")
    assert (code, "marked heads for --corrections" in err) == (2, True)
    assert not (tmp_path / "taught").exists()
    table.write_text("tile,people\n1,3\n2,0\n")
    code, out, _ = run("crowd.png", "--tiles", 3, "--corrections", "taught")
    assert (code, "1 tiles with a number" in out) == (0, True)
    (sample,) = Folder(tmp_path / "taught")
    assert len(sample.points) == 0  # of the empty tile it is known that nobody is there


def test_annotated_heads_of_whole_photos_count_a_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "heads").mkdir()
    for name, heads in (("few", FEW), ("crowd", CROWD)):
        np.savetxt(tmp_path / "heads" / f"{name}.csv", heads.xy, "%.3f", ",")
    code, out, _ = run("trip", "--out", "work", "--tiles", 999, "--heads", "heads")
    assert code == 0
    assert f"{len(FEW) + len(CROWD)} people, exact" in out
    again, out, _ = run("trip", "--out", "work", "--quiet")
    assert (again, out.split(",")[0]) == (0, f"{len(FEW) + len(CROWD)} people")


def test_the_audit_of_a_folder_leaves_out_its_own_pictures(run: Run, tmp_path: Path) -> None:
    for _ in range(2):
        assert run("trip", "--out", "trip/audit", "--tiles", 3)[0] == 0
    assert len(Worksheet(tmp_path / "trip" / "audit").load().plan.photos) == 2


def test_one_file_of_heads_for_one_photo(run: Run, tmp_path: Path) -> None:
    np.savetxt(tmp_path / "heads.csv", CROWD.xy, "%.3f", ",")
    code, out, _ = run("crowd.png", "--heads", "heads.csv", "--tiles", 999, "--quiet")
    assert (code, out.split(",")[0]) == (0, f"{len(CROWD)} people")


def test_a_film_is_audited_by_frames(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("av")
    frames = [label_photo(CROWD, 240, 200), label_photo(FEW, 240, 200)]
    write_film(tmp_path / "film.avi", [frames[0], frames[0], frames[1]], [0.0, 1.0, 2.0], codec="mjpeg")
    code, out, _ = run("film.avi", "--every", "2s", "--tiles", 3)
    assert code == 0
    record = Worksheet(tmp_path / "film_audit").load()
    assert [photo.name for photo in record.plan.photos] == ["film.avi 0.000 s", "film.avi 2.000 s"]
    assert len(list((tmp_path / "film_audit" / "tiles").iterdir())) == 3
    table = tmp_path / "film_audit" / "counts.csv"
    table.write_text("tile,people\n1,3\n2,4\n3,5\n")
    table.write_text("tile,people\n1,3\n2,4\n3,0\n")
    code, out, err = run("film.avi", "--every", "2s", "--tiles", 3, "--corrections", "taught")
    assert (code, len(Folder(tmp_path / "taught"))) == (0, 1)
    table.write_text("tile,people\n1,3\n2,4\n3,5\n")
    code, out, err = run("film.avi", "--every", "2s", "--tiles", 3, "--report", "film.html")
    assert (code, err) == (0, "")
    assert "3 of " in out
    assert "The total is over 2 frames: " in out
    assert "people in the mean frame, 90 % interval " in (tmp_path / "film.html").read_text("utf-8")
    code, out, _ = run("--check", "film.html", "film.avi")
    assert (code, "1 of 1 files are those of the audit" in out) == (0, True)
    assert "expected one video" in run("film.avi", "crowd.png")[2]
    assert "a video" in run("film.avi", "--heads", "counts.csv")[2]


def test_a_gap_is_named(run: Run, tmp_path: Path) -> None:
    run("crowd.png", "--tiles", 4)
    table = tmp_path / "crowd_audit" / "counts.csv"
    table.write_text("tile,people\n1,3\n2,\n3,\n4,5\n")
    code, out, err = run("crowd.png", "--tiles", 4)
    assert code == 0
    assert "Not used yet: tile 4. Count tile 2 first." in err
    assert "1 of 23 tiles" in out


def test_what_cannot_be_is_a_sentence(run: Run, tmp_path: Path) -> None:
    assert "no photo was named" in run()[2]
    assert "expected --report as .html" in run("crowd.png", "--report", "report.pdf")[2]
    assert "no such photo: none.jpg" in run("none.jpg")[2]
    assert "expected a report that can be read" in run("--check", "none.html")[2]
    run("crowd.png", "--tiles", 2)
    assert "expected a counted tile" in run("crowd.png", "--report", "report.html")[2]
    assert "Name another folder with --out" in run("crowd.png", "--seed", "7")[2]
    assert "expected the photos of the audit" in run("trip", "--out", "crowd_audit")[2]
    shutil.copy(tmp_path / "trip" / "few.png", tmp_path / "crowd.png")
    code, _, err = run("crowd.png", "--tiles", 3)
    assert code == 2
    assert "which has changed" in err


def test_a_chosen_seed_draws_other_tiles(run: Run, tmp_path: Path) -> None:
    orders = set()
    for seed in ("1", "2"):
        run("crowd.png", "--out", seed, "--seed", seed, "--tiles", 2)
        orders.add(Worksheet(tmp_path / seed).load().plan.order(6))
    assert len(orders) == 2


def test_a_missing_report_is_an_error(tmp_path: Path) -> None:
    done = crowdscale("audit", "--check", tmp_path / "none.html")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
