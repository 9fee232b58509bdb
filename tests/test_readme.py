"""What the README says is run: its Python, its commands' names and options, its file tree, its numbers."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import crowdscale

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_runs(bundled, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    count, interval, warned, first = lines[0].split()
    low, high = map(int, interval.split("–"))
    assert 300 < low < float(count) < high < 1200
    assert 300 < float(first) < 900
    assert warned == "()"
    assert lines[1].startswith("Box(")


@pytest.mark.parametrize("model", ["lite", "lite-int8"])
def test_the_graphs_run_without_crowdscale(model, bundled, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "embed.md").read_text("utf-8"), re.DOTALL)
    assert "import crowdscale" not in code
    exec(compile(code.replace("lite-int8", model), "embed.md", "exec"), {})
    people, candidates = map(int, re.findall(r"\d+", capsys.readouterr().out)[:2])
    first = crowdscale.load(model, threads=2).predict("examples/auditorium.jpg").first_pass_count
    assert people == pytest.approx(first, abs=1)
    assert candidates > people / 2


@pytest.mark.parametrize(
    "name",
    [
        "count",
        "models",
        "evaluate",
        "train",
        "score",
        "compare",
        "data check",
        "data convert",
        "data split",
    ],
)
def test_every_option_shown_exists(name):
    shown = set()
    for line in README.replace("\\\n", " ").splitlines():
        found = re.search(rf"crowdscale {name}\b(.*)", line)
        shown |= set(re.findall(r"--[a-z0-9-]+", found[1])) if found else set()
    help_text = subprocess.run(
        [sys.executable, "-m", "crowdscale", *name.split(), "--help"],
        capture_output=True, text=True, check=True, env={"COLUMNS": "200", "PATH": "/usr/bin"},
    ).stdout  # fmt: skip
    assert [option for option in shown if option not in help_text] == []


def test_paths_exist():
    for path in re.findall(r"\]\(((?:docs|src|CITATION)[^)]*)\)", README):
        assert (ROOT / path).exists(), path


def test_numbers_are_those_of_the_committed_results():
    scores = json.loads((ROOT / "docs" / "results" / "sha_test.json").read_text())
    for label, which in (("first look", "first"), ("refined", "refined")):
        (line,) = re.findall(rf"^\| {label} \|(.*)\|$", README, re.MULTILINE)
        shown = [float(cell.strip(" *")) for cell in line.split("|")]
        places = [100 * place["f"] for place in scores[which]["localization"].values()]
        expected = [scores[which]["mae"], scores[which]["rmse"], scores[which]["nae"], *places]
        assert shown == [pytest.approx(value, abs=0.051) for value in expected]
