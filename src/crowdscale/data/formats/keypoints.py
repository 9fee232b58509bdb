"""Key points of a body: which one is the head, by its name where the file has names, or by its order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["KeyPoint", "head_of", "is_head"]

HEADS = ("head", "nose", "face", "forehead", "eye", "ear")
"""Words in the names of a head's key points, such as ``left_eye`` or ``headTop``, the best first."""


class KeyPoint(NamedTuple):
    """A key point that is marked."""

    x: float
    y: float
    name: str = ""


def head_of(points: Sequence[KeyPoint]) -> KeyPoint | None:
    """Return the key point of the head: by its name, else the first that is marked; None without any."""
    named = [point for point in points if is_head(point.name)]
    if named:
        return min(named, key=lambda point: _rank(point.name))
    return points[0] if points else None


def is_head(name: str) -> bool:
    """Return whether a key point's name is one of a head."""
    return _rank(name) < len(HEADS)


def _rank(name: str) -> int:
    """Return the place of the word of a head that a name holds; the number of these words without one."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    return min((HEADS.index(word) for word in words if word in HEADS), default=len(HEADS))
