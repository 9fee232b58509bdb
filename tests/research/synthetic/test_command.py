"""``python -m research.synthetic`` as a user types it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crowdscale.data import Folder

ROOT = Path(__file__).parents[3]


def synthesize(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "research.synthetic", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)


def test_writes_a_folder_that_reads_back(tmp_path: Path) -> None:
    out = tmp_path / "scenes"
    done = synthesize(out, "--photos", 3, "--seed", 2, "--width", 160, "--height", 128)
    assert (done.returncode, done.stderr) == (0, "")
    samples = Folder(out).samples
    heads = sum(len(sample.points or ()) for sample in samples)
    assert [sample.name for sample in samples] == ["scene_0001", "scene_0002", "scene_0003"]
    assert samples[0].read().shape == (128, 160, 3)
    first, hint = done.stdout.splitlines()
    assert first.startswith("3 scenes")
    assert first.endswith(f"{heads} heads in {out}")
    assert hint == f"Try: crowdscale evaluate lite --data folder:{out}"


def test_twenty_photos_of_everything_by_default(tmp_path: Path) -> None:
    done = synthesize(tmp_path / "scenes", "--width", 64, "--height", 64)
    assert done.returncode == 0
    assert len(Folder(tmp_path / "scenes")) == 20


def test_equal_seeds_write_equal_files(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        synthesize(tmp_path / name, "--photos", 1, "--seed", seed, "--width", 96, "--height", 96)
    one, same, other = (
        [path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in ("a", "b", "c")
    )
    assert len(one) == 2
    assert one == same
    assert one[1] != other[1]


def test_empty_scenes_are_told(tmp_path: Path) -> None:
    done = synthesize(tmp_path / "e", "--photos", 2, "--kind", "empty", "--width", 64, "--height", 64)
    assert done.stdout.startswith("2 scenes, 2 of them empty, 0 heads in ")


def test_pictures_without_people_are_read_as_photos_without_heads(tmp_path: Path) -> None:
    done = synthesize(tmp_path / "n", "--photos", 3, "--empty", "--width", 96, "--height", 64)
    assert done.stdout.splitlines() == [
        f"3 scenes, 3 of them empty, 0 heads in {tmp_path / 'n'}",
        f"Try: crowdscale train --data … --data folder:{tmp_path / 'n'}",
    ]
    samples = Folder(tmp_path / "n").samples
    assert [len(sample.points) for sample in samples] == [0, 0, 0]
    pixels = [sample.read() for sample in samples]
    assert {picture.shape for picture in pixels} == {(64, 96, 3)}
    assert len({picture.tobytes() for picture in pixels}) == 3


def test_a_full_folder_needs_overwrite(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    small = "--photos", 1, "--width", 64, "--height", 64
    refused = synthesize(tmp_path, *small)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr == (
        f"Error: expected a new or empty folder at {tmp_path}, but got one with 1 entries. "
        "Name another one, or add --overwrite (overwrite=True).\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert synthesize(tmp_path, *small, "--overwrite").returncode == 0
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert len(Folder(tmp_path)) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--photos", 0), "expected from 1 to 9999 scenes, but got 0."),
        (("--width", 10), "expected width from 64 to 8192, but got 10."),
        (("--height", 10), "expected height from 64 to 8192, but got 10."),
        (("--seed", -1), "expected seed and number of at least 0, but got -1 and 0."),
        (
            ("--kind", "noise"),
            "unknown kind of scene 'noise'. Choose one of dense, empty, mixed, sparse.",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_bad_options_are_one_sentence(tmp_path: Path, arguments: tuple, sentence: str) -> None:
    done = synthesize(tmp_path / "out", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"Error: {sentence}\n")
    assert not (tmp_path / "out").exists()
