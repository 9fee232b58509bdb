"""The table of docs/paper-to-code.md: every file is there and holds the name that stands beside it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "paper-to-code.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and "`" in line
]


def in_tree(file: str) -> Path:
    """The path of a file in research/ or in the package."""
    return ROOT / file if file.startswith("research/") else ROOT / "src" / "crowdscale" / file


def names(path: Path) -> set[str]:
    """The names a file defines: its own, and those of its classes as Class.name."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found |= {node.name, *(f"{node.name}.{name}" for part in node.body for name in defined(part))}
        found |= defined(node)
    return found


def defined(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


@pytest.mark.parametrize("line", LINES, ids=[f"{line[0]} {line[1][:20]}" for line in LINES])
def test_the_name_is_where_the_table_says(line):
    _, _, file, name = line
    path = in_tree(file)
    assert path.is_file(), file
    assert re.fullmatch(r"`([\w.]+)`", name).group(1) in names(path)


@pytest.mark.parametrize(("kind", "last"), [("Eq", 10), ("Tab", 7), ("Fig", 12)])
def test_equations_tables_and_figures_are_all_there(kind, last):
    told = " ".join(line[0] for line in LINES)
    numbers = {int(n) for part in re.findall(rf"{kind}\. ([\d, ]+)", told) for n in re.findall(r"\d+", part)}
    assert numbers == set(range(1, last + 1))


def test_hyper_parameters_are_all_there():
    told = " ".join(line[0].split("Tab. 1, ")[-1] for line in LINES if "Tab. 1," in line[0])
    assert set(re.findall(r"(\S+) =", told)) == {"J_r", "J_l", "λ1", "λ2", "T", "γ", "α"}


def constants(path: Path, name: str) -> Any:
    """The default of an attribute, the literal of a constant, or all those of a class."""
    owner, _, attribute = name.partition(".")
    node = next(n for n in ast.parse(path.read_text(encoding="utf-8")).body if owner in defined(n))
    if not isinstance(node, ast.ClassDef):
        return literal(getattr(node, "value", None))
    found = {
        part.target.id: literal(part.value)
        for part in node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    }
    return found[attribute] if attribute else found


def literal(node: ast.expr | None) -> Any:
    """The value of a literal, also of one that is frozen; None for what is none."""
    if isinstance(node, ast.Call) and node.args:
        node = node.args[0]
    try:
        return ast.literal_eval(node) if node else None
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("J_r = 0.1", 0.1),
        ("J_l = 0.02", 0.02),
        ("λ1 = λ2 = 1", 1),
        ("α = 1e-3", 1e-3),
        ("γ = 1e-7, 1e-4", {"density": 1e-7, "points": 1e-4}),
        ("β1 = 0.95, weight decay", {"optimizer": "adam", "beta1": 0.95, "weight_decay": 5e-4, "batch": 1}),
        ("above twice the mean", {"times_mean": 2}),
        ("label below 8", {"below": 8}),
        ("factor q clamped to 0.5 … 5", {"area_low": 0.5, "area_high": 5}),
    ],
)
def test_what_the_papers_set_is_set_in_the_code(told, value):
    (line,) = [line for line in LINES if told in f"{line[0]}, {line[1]}"]
    found = constants(in_tree(line[2]), line[3].strip("`"))
    assert (value.items() <= found.items()) if isinstance(value, dict) else (found == value)
