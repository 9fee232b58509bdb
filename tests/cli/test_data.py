"""``crowdscale data`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from crowdscale.files.images import write_image
from tests.support.commands import crowdscale


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    for index in range(10):
        write_image(folder / f"p{index}.png", np.full((48, 64, 3), 20 * index, np.uint8))
        text = "".join(f"{3 + 7 * k},{4 + 5 * k}\n" for k in range(index))
        (folder / f"p{index}.csv").write_text(text)
    return folder


def test_check_of_a_sound_folder(mine: Path, tmp_path: Path) -> None:
    done = crowdscale("data", "check", mine, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "No problems." in done.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "report.json",
        "contact_sheet.jpg",
        "histogram.png",
    }
    assert json.loads((tmp_path / "out" / "report.json").read_text())["heads"] == 45


def test_check_lists_every_fault_and_fails(mine: Path) -> None:
    (mine / "p3.png").write_bytes(b"x")
    (mine / "p4.csv").write_text("1,2\n900,2\n")
    done = crowdscale("data", "check", mine)
    assert done.returncode == 1
    assert "2 broken, 0 to check:" in done.stdout
    assert "is no photo" in done.stdout
    assert "outside: 1 of 2 heads lie outside their 64×48 photo p4." in done.stdout


def test_convert_there_and_back(mine: Path, tmp_path: Path) -> None:
    coco = tmp_path / "out" / "all.json"
    done = crowdscale("data", "convert", mine, coco, "--to", "coco", "--photos", "link")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{coco}: 1 file, 10 photos, 45 heads"
    back = tmp_path / "back.csv"
    assert crowdscale("data", "convert", coco.parent, back).returncode == 0
    assert back.read_text().splitlines()[:4] == ["image,x,y", "p0.png,,", "p1.png,3,4", "p2.png,3,4"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("convert", "mine", "out.json"), "expected --to with one of"),
        (("convert", "mine", "out", "--to", "dota"), "unknown format 'dota'"),
        (("convert", "mine", "out", "--to", "yolo"), "Give --box PIXELS"),
        (
            ("convert", "mine", "out", "--to", "csv", "--photos", "move"),
            "unknown choice for --photos 'move'. Choose one of copy, link",
        ),
        (("convert", "nowhere", "out", "--to", "csv"), "no such folder: nowhere"),
        (("check", "nowhere"), "no such folder: nowhere"),
        (("check", "qnrf:mine"), "The set unpacks to:"),
        (("split", "mine", "--out", "lists", "--share", "0.6,0.6"), "one or two shares between 0 and 1"),
        (("split", "mine", "--out", "lists", "--share", "many"), "one or two shares"),
    ],
)
def test_what_cannot_be_done(mine: Path, arguments: tuple[str, ...], sentence: str) -> None:
    done = crowdscale("data", *arguments, cwd=mine.parent)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_split_is_seeded_stratified_and_whole(mine: Path, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        done = crowdscale(
            "data", "split", mine, "--share", "0.2,0.2", "--seed", "3", "--out", tmp_path / folder
        )
        assert done.returncode == 0, done.stderr
    lists = {}
    for name in ("train", "validation", "test"):
        text = (tmp_path / "one" / f"{name}.txt").read_text()
        assert text == (tmp_path / "two" / f"{name}.txt").read_text()
        lists[name] = [line for line in text.splitlines() if not line.startswith("#")]
    together = sorted(entry for entries in lists.values() for entry in entries)
    assert together == [f"folder/p{index}" for index in range(10)]
    assert [len(lists[name]) for name in ("train", "validation", "test")] == [6, 2, 2]


@pytest.mark.parametrize("command", [("data", "list"), ("models", "list")])
def test_lists_fit_a_terminal_of_80_columns(command: tuple[str, ...]) -> None:
    done = crowdscale(*command)
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_list_names_sets_and_formats() -> None:
    shown = crowdscale("data", "list").stdout
    for word in ("qnrf", "trancos", "no real file yet", "labelstudio", "NAME.csv beside each photo"):
        assert word in shown


def test_list_prints_all_of_what_is_named() -> None:
    shown = crowdscale("data", "list", "nwpu", "json").stdout
    for word in ("5,109 photos", "train, val, test", "--data nwpu/train:FOLDER", "https://", "[[x, y], …]"):
        assert word in shown
    everything = crowdscale("data", "list", "--verbose").stdout
    assert shown.split("\n\n")[0] in everything
    done = crowdscale("data", "list", "sho")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: no data set or format 'sho'. Known are sha, shb")
