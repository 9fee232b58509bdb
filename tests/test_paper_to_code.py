"""The table of docs/paper-to-code.md: every file is there and holds the name that stands beside it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "paper-to-code.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and "`" in line
]


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
    path = ROOT / "src" / "crowdscale" / file
    assert path.is_file(), file
    assert re.fullmatch(r"`([\w.]+)`", name).group(1) in names(path)


def test_equations_and_tables_are_all_there():
    told = " ".join(line[0] for line in LINES)
    numbers = {int(n) for part in re.findall(r"Eq\. ([\d, ]+)", told) for n in re.findall(r"\d+", part)}
    assert numbers >= {1, 2, 3, 4, 5, 6, 7, 8, 10}
    tables = {int(n) for part in re.findall(r"Tab\. ([\d, ]+)", told) for n in re.findall(r"\d+", part)}
    assert tables >= set(range(1, 8))
