"""The README holds: its Python runs, its commands and options exist, its paths are there, it stays short."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

import crowdscale
from crowdscale.cli.main import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(text):
    """Yield the words of each ``crowdscale`` command in the shell blocks of a page."""
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            names = [index for index, word in enumerate(words) if word.rsplit("/", 1)[-1] == "crowdscale"]
            if names:
                yield words[names[0] + 1 :]


def shown(page):
    return {(" ".join(_path(words)), word.split("=")[0]) for words in commands(page.read_text("utf-8"))
            for word in words if word.startswith("--")}  # fmt: skip


def _path(words):
    """Return the leading words that name a command."""
    path = []
    for word in words:
        if not re.fullmatch(r"[a-z][a-z-]*", word) or f" {' '.join([*path, word])} " not in _help(
            (*path, word)
        ):
            break
        path.append(word)
    return path


@cache
def _help(path):
    """Return the help of a command, with its usage line first; empty if there is none."""
    result = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"}, prog_name="crowdscale")
    usage = f"Usage: crowdscale {' '.join(path)} "
    return result.output if result.exit_code == 0 and result.output.strip().startswith(usage) else ""


def test_the_python_runs(bundled, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    count, interval, warned = capsys.readouterr().out.splitlines()[0].split()
    low, high = map(int, interval.split("–"))
    assert 450 < float(count) < 530
    assert float(count) / 2 < low < float(count) < high < 1.5 * float(count)
    assert warned == "()"


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_on_pages_exist(page):
    missing = []
    for path, option in sorted(shown(page)):
        if not re.search(rf"{option}\b", _help(tuple(path.split()))):
            missing.append(f"crowdscale {path} {option}")
    assert missing == []


def test_paths_exist():
    for path in re.findall(r"\]\(((?!https?:)[^)#]+)", README):
        assert (ROOT / path).exists(), path


def test_it_is_short():
    lines = README.splitlines()
    assert len(lines) <= 150
    first = README.split("```sh")[1].split("```")[0]
    assert max(map(len, first.splitlines())) <= 80
