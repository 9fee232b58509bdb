"""``crowdscale zones flow`` and ``zones occupancy`` as a user types them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from tests.support.commands import crowdscale


@pytest.fixture
def rows(tmp_path):
    """Two lines and an area for an hour, one minute in five, four people a minute over the first line."""
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        stay = [
            "hall different",
            "hall entered",
            "hall left",
            "hall median stay",
            "hall stay 90th percentile",
        ]
        lines = [f"{line} {way}" for line in ("gate", "bridge") for way in ("forward", "backward")]
        writer.writerow(
            ["time", "frame", "count", "smoothed", "hall", *stay, "gate", "bridge", *lines, "alarms"]
        )
        for minute in range(0, 60, 5):
            for second in range(0, 61, 2):
                time = 60 * minute + second
                gate = 4 * (minute // 5) + second // 15
                writer.writerow(
                    [time, 0, 5, "", minute, gate, gate, gate, 3.5, 9, 0, 0, gate, 0, gate // 2, 0, ""]
                )
    return path


def test_all_who_passed_a_line(rows, tmp_path):
    done = crowdscale("zones", "flow", rows, "--line", "gate", "--plot", tmp_path / "flow.png")
    assert done.returncode == 0
    assert "240 people passed gate, forward (90 %: 240–240); 20% of the time observed." in done.stdout
    assert "check some minutes by hand" in done.stdout
    assert Image.open(tmp_path / "flow.png").size == (1400, 640)


def test_all_who_took_part_in_a_march(rows):
    done = crowdscale("zones", "flow", rows, "--line", "gate", "--second-line", "bridge", "--asked", "50", "--passed", "40", "--json")  # fmt: skip
    found = json.loads(done.stdout)
    assert found["lines"]["gate"]["people"] == pytest.approx(240)
    assert found["everyone"]["people"] == pytest.approx(240 + 0.2 * found["lines"]["bridge"]["people"])
    assert found["everyone"]["low"] < found["everyone"]["people"] < found["everyone"]["high"]


def test_hand_counts(rows, tmp_path):
    checked = tmp_path / "checked.csv"
    checked.write_text(
        "start,end,people\n" + "".join(f"{300 * k},{300 * k + 60},{5 + k % 2}\n" for k in range(4))
    )
    done = crowdscale("zones", "flow", rows, "--line", "gate", "--checked", checked)
    assert "by which 1.375 people passed for each one counted" in done.stdout
    assert "330 people passed gate" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["flow", "none.csv"], "expected rows of `crowdscale watch`"),
        (["flow", "{rows}"], "Choose --line out of gate, bridge"),
        (
            ["flow", "{rows}", "--line", "gate", "--asked", "9"],
            "a second line, --asked and --passed together",
        ),
        (["flow", "{rows}", "--line", "gate", "--from", "9m", "--to", "8m"], "--to after --from"),
        (["flow", "{rows}", "--line", "gate", "--direction", "up"], "a direction out of forward"),
        (["flow", "{rows}", "--line", "gate", "--checked", "none.csv"], "columns start, end, people"),
        (["flow", "{rows}", "--line", "gate", "--plot", "flow.gif"], "--plot as .png"),
        (["occupancy", "{rows}", "--zone", "roof"], "a zone out of hall"),
        (["occupancy", "{rows}", "--plot", "a.gif"], "--plot as .png"),
    ],
    ids=lambda value: " ".join(value[:1] + value[-2:]) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_sentence(rows, arguments, sentence):
    done = crowdscale("zones", *(each.format(rows=rows) for each in arguments))
    assert done.returncode == 2
    assert sentence in done.stderr


def test_occupancy(rows, tmp_path):
    done = crowdscale("zones", "occupancy", rows, "--plot", tmp_path / "full.png")
    assert done.returncode == 0
    (line,) = [line.split() for line in done.stdout.splitlines() if "hall" in line]
    assert line == ["hall", "27.5", "55.0", "55:00", "48", "48", "48", "3.5", "9"]
    assert "stay" in done.stdout
    assert np.asarray(Image.open(tmp_path / "full.png")).shape == (640, 1400, 3)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ("time,count", "expected rows with zones in {rows}, but got none. Watch with --zones."),
        (
            "time,count,gate,gate forward,gate backward",
            "expected rows with areas in {rows}, but got lines alone. Name a line: --zone NAME.",
        ),
    ],
)
def test_occupancy_needs_areas(tmp_path, columns, sentence):
    path = tmp_path / "rows.csv"
    path.write_text(f"{columns}\n{','.join('1' for _ in columns.split(','))}\n")
    done = crowdscale("zones", "occupancy", path)
    assert done.returncode == 2
    assert sentence.format(rows=path) in " ".join(done.stderr.split())
