"""A partition that is really full: every command ends with a sentence, and what was there before is intact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdscale.data.folder import Folder
from crowdscale.files.images import write_image
from tests.support.commands import CROWD, FEW, crowdscale
from tests.support.disks import fill, small_disk
from tests.support.fakes import label_photo

FULL = "the disk is full, so {} was not written; what was there before is intact. Free some space"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    for name, heads in (("crowd", CROWD), ("few", FEW)):
        write_image(tmp_path / "photos" / f"{name}.png", label_photo(heads, 240, 200))
    with small_disk(tmp_path / "disk") as mounted:
        yield mounted


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("filler", ".lock")
    }


def test_results_of_a_count(disk, tmp_path, label_model):
    photo, model = tmp_path / "photos" / "crowd.png", ("--model", label_model, "--threads", "1")
    for name in ("old.json", "old.csv"):
        (disk / name).write_text("old")
    before = files(disk)
    fill(disk)
    for options, name in (
        (("--json", disk / "old.json"), "old.json"),
        (("--csv", disk / "old.csv"), "old.csv"),
        (("--save", disk / "pictures"), "pictures/crowd_people.jpg"),
    ):
        done = crowdscale("count", photo, *options, *model)
        assert (done.returncode, FULL.format(disk / name) in done.stderr) == (1, True), done
        assert f"{len(CROWD)} people" in done.stdout  # the number is not lost with its file
    assert files(disk) == before


def test_an_archive_goes_on_once_there_is_room(disk, tmp_path, label_model):
    command = (
        "count",
        tmp_path / "photos",
        "--out",
        disk / "archive",
        "--model",
        label_model,
        "--threads",
        "1",
    )
    filler = fill(disk)
    done = crowdscale(*command)
    assert (done.returncode, "No space left" in done.stderr) == (2, True), done
    assert "run the same command again to go on" in done.stderr
    filler.unlink()
    done = crowdscale(*command)
    assert (done.returncode, f"2 photos, {len(CROWD) + len(FEW)} people" in done.stdout) == (0, True), done


def test_an_audit_keeps_its_record_and_the_answers(disk, tmp_path, label_model):
    command = ("audit", tmp_path / "photos" / "crowd.png", "--out", disk / "audit", "--tiles", 2)
    command += ("--model", label_model, "--threads", "1")
    assert crowdscale(*command).returncode == 0
    (disk / "audit" / "counts.csv").write_text("tile,people\n1,3\n2,4\n")
    (disk / "report.html").write_text("old")
    before = files(disk)
    filler = fill(disk)
    done = crowdscale(*command, "--report", disk / "report.html")
    assert (done.returncode, FULL.format(disk / "audit" / "counts.csv") in done.stderr) == (2, True), done
    assert files(disk) == before
    filler.unlink()
    done = crowdscale(*command, "--report", disk / "report.html")
    assert (done.returncode, "2 of 23 tiles" in done.stdout) == (0, True), done


def test_corrections_of_an_audit_are_whole_or_not_there(disk, tmp_path, label_model):
    photo, work = tmp_path / "photos" / "crowd.png", tmp_path / "work"
    (tmp_path / "heads.csv").write_text("\n".join(f"{x},{y}" for x, y in CROWD.xy))
    command = ("audit", photo, "--out", work, "--tiles", 3, "--heads", tmp_path / "heads.csv")
    command += ("--corrections", disk / "taught", "--model", label_model, "--threads", "1")
    filler = fill(disk)
    done = crowdscale(*command)
    assert (done.returncode, "the disk is full" in done.stderr) == (1, True), done
    assert not files(disk)
    filler.unlink()
    assert crowdscale(*command).returncode == 0
    assert len(Folder(disk / "taught")) == 1
