"""Check the words of the package: no riddles in docstrings and messages, few vague local names.

Run: ``python .ci/words.py``. The glossary stands in CONTRIBUTING.md.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "research")

RIDDLES = {
    r"\bsaid (of|to)\b": "write 'described by' or 'named in'",
    r"\b(tells?|told|telling)\b": "write 'returns', 'reports' or 'predicts'",
    r"\b(first|second) looks?\b": "write 'first pass' or 'second pass'",
    r"\blook(s|ed)? (at|again|twice)\b": "write 'runs on' or 'reads'",
    r"\bby heart\b": "write 'overfits'",
    r"\bacquaint\w*": "write 'profile'",
    r"\bfamiliar\w*": "write 'profile'",
    r"\bwhoever\b": "name the user",
    r"\bnobody's\b": "name the case",
    r"\bas ever\b": "leave it out",
    r"\bgone on with\b": "write 'resumed'",
    r"\bgoes on\b": "write 'resumes' or 'continues'",
    r"\bwhat becomes of\b": "write 'the result of'",
    r"\bsays nothing\b": "name the missing value",
    r"\b(he|his|him)\b": "write 'the person' or 'they'",
    r"\bhead-?on\b": "name the view",
    r"\bengines?\b": "write 'backend' or 'runner'",
    r"\bdots?\b(?!:)": "write 'head' or 'located head'",
}
"""A pattern in a docstring or message of the package, and the remedy."""

VAGUE = {"known", "found", "seen", "told", "said", "looked"}
BUDGET = 20
"""Local variables with a vague name that the package may hold."""


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each docstring and each string of two words or more."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, node.value


def vague_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of each assignment to a vague name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in VAGUE:
            yield node.lineno, node.id


def main() -> int:
    """Print each fault and return the exit code."""
    faults, vague = [], []
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        tree, where = ast.parse(path.read_text(encoding="utf-8")), path.relative_to(ROOT)
        for line, text in texts(tree):
            for pattern, remedy in RIDDLES.items():
                match = re.search(pattern, text, re.IGNORECASE)
                if match:
                    faults.append(f"{where}:{line}: '{match[0]}': {remedy}")
        vague += [f"{where}:{line}: local name '{name}': name the value" for line, name in vague_names(tree)]
    if "--count" in sys.argv:
        counts = Counter(fault.split(":")[0].rsplit("/", 1)[0] for fault in faults + vague)
        print(*(f"{number:5} {folder}" for folder, number in counts.most_common()), sep="\n")
    else:
        print(*faults, *(vague if len(vague) > BUDGET else ()), sep="\n")
    print(f"{len(faults)} riddles (0 allowed), {len(vague)} vague names ({BUDGET} allowed)")
    return int(bool(faults) or len(vague) > BUDGET)


if __name__ == "__main__":
    sys.exit(main())
