"""No file outside of ``maps`` asks which codec, rule or estimate it has: codecs, rules and estimates answer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CLASSES = {
    "Density", "DistanceLabels", "HybridLabels", "DensityRule", "LabelRule", "PointsEstimate", "DensityEstimate",
    "BlockEstimate", "HybridEstimate",
}  # fmt: skip


def names(node: ast.AST) -> set[str]:
    return {
        each.id if isinstance(each, ast.Name) else each.attr
        for each in ast.walk(node)
        if isinstance(each, (ast.Name, ast.Attribute))
    }


def questions(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield each ``isinstance`` with a class of maps, and each comparison of a method with a text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and names(node.func) & {"isinstance", "issubclass", "type"}:
            if any(names(argument) & CLASSES for argument in node.args):
                yield node
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            texts = any(isinstance(each, ast.Constant) for side in sides for each in ast.walk(side))
            if (
                texts and any(getattr(side, "attr", getattr(side, "id", "")) == "method" for side in sides)
            ) or (names(node) & {"type"} and names(node) & CLASSES):
                yield node
        elif isinstance(node, ast.MatchClass) and names(node.cls) & CLASSES:
            yield node


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("isinstance(codec, Density)", 1),
        ("isinstance(a.codec, (Box, maps.HybridLabels))", 1),
        ("config.method == 'hybrid'", 1),
        ("method not in ('points', 'hybrid')", 1),
        ("type(codec) is Density", 1),
        ("match codec:\n case Density(): pass", 1),
        ("config.codec.counts_blocks and isinstance(a, Box) and method in METHODS", 0),
    ],
)
def test_a_question_is_found(code, number):
    assert len(list(questions(ast.parse(code)))) == number


@pytest.mark.parametrize("folder", ["src/crowdscale", "research"])
def test_only_maps_asks(folder):
    asked = [
        f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        if "maps" not in file.parts
        for node in questions(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert not asked, "let the codec, the rule or the estimate answer:\n" + "\n".join(asked)


def test_predictors_are_derived_by_with_options_alone():
    """Nothing rebuilds a predictor from another one's backend, which could wrap it twice."""
    rebuilt = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for folder in ("src/crowdscale", "research", "benchmarks")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and names(node.func) & {"Predictor"}
        if any(getattr(argument, "attr", "") == "backend" for argument in node.args)
    ]
    assert rebuilt == []
