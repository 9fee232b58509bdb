"""The draw of an audit: an order of the cells whose every beginning is a sample with known inclusion probabilities.

Systematic sampling with probability proportional to size (Madow, 1949), made sequential by a tree. A node that has
received k draws has passed ⌊k·w + u⌋ of them to its first child, where w is the child's part of the node's size and u
is uniform in [0, 1). So each beginning of n cells is spread over the photo, and a cell is in it with probability
n·size/total, without replacement. Where a subtree has too few cells for that, the rest goes to its sibling, and the
probability follows from the distribution of draws at each node. Spread in this way is due to Stevens and Olsen (2004).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import CrowdscaleError, DataError, OptionError
from crowdscale.trust.audit.cells import AuditOptions, AuditPhoto, Cell, PeopleMap, cut_cells

__all__ = ["AuditPlan", "Node", "derived_seed", "plan_audit", "uniform"]

Floats = NDArray[np.float64]


DEEPEST = 400
"""Most turns from the root to a cell. Trees that are cut here have a few dozen."""


MOST = 10**12
"""Most people, and pixels along a side, that a record may name: its sums are floats."""
LARGEST = 2**62
"""Largest size of a cell in a record."""


class Node(NamedTuple):
    """A part of the tree of cells."""

    size: int
    cells: int


def uniform(seed: str, path: str) -> float:
    """Return the number of [0, 1) that belongs to a node: the first 48 bits of SHA-256 of ``seed/path``."""
    return int(hashlib.sha256(f"{seed}/{path}".encode()).hexdigest()[:12], 16) / 2**48


def derived_seed(digests: Sequence[str]) -> str:
    """Return the seed that follows from the model and the photos, so that nobody can choose a favourable draw.

    Args:
        digests: sha256 of the model, then of each photo, in hexadecimal digits.
    """
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class AuditPlan:
    """All that fixes an audit before the first head is counted.

    Raises:
        DataError: Cells do not form a tree, or have no size or photo.
    """

    photos: tuple[AuditPhoto, ...]
    cells: tuple[Cell, ...]
    """In the order of the tree."""
    seed: str
    """Any text. The draw follows from it, the sizes and the paths alone."""
    options: AuditOptions = field(default_factory=AuditOptions)

    def __post_init__(self) -> None:
        paths = [cell.path for cell in self.cells]
        if max(map(len, paths), default=0) > DEEPEST or not _are_leaves(paths):
            raise DataError("expected the paths of cells to form a tree of pairs", "others")
        if not all(_is_photo(photo) for photo in self.photos):
            raise DataError("expected photos with a size in whole pixels and predicted people", "others")
        if not all(0 <= cell.photo < len(self.photos) and _fits(cell, self.photos) for cell in self.cells):
            raise DataError("expected cells inside their photos with a positive size and people", "others")

    @property
    def predicted(self) -> float:
        """People by the model in all cells."""
        return math.fsum(cell.predicted for cell in self.cells)

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Sum of sizes and number of cells below each path."""
        nodes: dict[str, Node] = {}
        for cell in self.cells:
            for depth in range(len(cell.path) + 1):
                size, cells = nodes.get(cell.path[:depth], Node(0, 0))
                nodes[cell.path[:depth]] = Node(size + cell.size, cells + 1)
        return nodes

    def order(self, count: int | None = None) -> tuple[int, ...]:
        """Return the indices of the first ``count`` cells in the order of the draw; None: of all."""
        count = len(self.cells) if count is None else count
        if not 0 <= count <= len(self.cells):
            raise OptionError(f"expected 0 to {len(self.cells)} cells", str(count))
        index = {cell.path: place for place, cell in enumerate(self.cells)}
        drawn = [0] * count
        waiting: list[tuple[str, list[int]]] = [("", list(range(count)))]
        while waiting:
            path, steps = waiting.pop()
            if not steps:
                continue
            if path in index:
                drawn[steps[0]] = index[path]
                continue
            first, second = self._pass_on(path, steps)
            waiting += [(f"{path}0", first), (f"{path}1", second)]
        return tuple(drawn)

    def _pass_on(self, path: str, steps: Sequence[int]) -> tuple[list[int], list[int]]:
        """Divide the draws of a node among its children."""
        left, right = self.nodes[f"{path}0"], self.nodes[f"{path}1"]
        weight, start = left.size / (left.size + right.size), uniform(self.seed, path)
        parts: tuple[list[int], list[int]] = ([], [])
        passed = 0
        for number, step in enumerate(steps, start=1):
            wanted = _limit(math.floor(number * weight + start), number, left.cells, right.cells)
            parts[0 if wanted > passed else 1].append(step)
            passed = wanted
        return parts

    def inclusion(self, count: int, cells: Iterable[int] | None = None) -> Floats:
        """Return the probability with which each cell is among the first ``count`` of the order, over all seeds.

        Args:
            count: Number of cells drawn.
            cells: Indices of cells; None: all.
        """
        chosen = range(len(self.cells)) if cells is None else cells
        start = np.zeros(count + 1)
        start[count] = 1
        computed = {"": start}
        return np.array([self._draws(self.cells[index].path, computed)[1:].sum() for index in chosen])

    def _draws(self, path: str, computed: dict[str, Floats]) -> Floats:
        """Return the probabilities of 0, 1, … draws at a node, kept in ``computed``."""
        if path not in computed:
            parent = path[:-1]
            left, right = self.nodes[f"{parent}0"], self.nodes[f"{parent}1"]
            parts = _divide(self._draws(parent, computed), left, right)
            computed[f"{parent}0"], computed[f"{parent}1"] = parts
        return computed[path]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "seed": self.seed,
            "options": asdict(self.options),
            "photos": [asdict(photo) for photo in self.photos],
            "cells": [cell.to_dict() for cell in self.cells],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> AuditPlan:
        """Return the plan that ``to_dict`` took apart.

        Raises:
            DataError: Something is missing or of another kind.
        """
        try:
            return cls(
                tuple(AuditPhoto.from_dict(each) for each in values["photos"]),
                tuple(Cell.from_dict(each) for each in values["cells"]),
                str(values["seed"]),
                AuditOptions(**{"unseen_photos": False, **values["options"]}),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, CrowdscaleError):
                raise
            raise DataError("expected the plan of an audit", f"one that lacks {error}") from error


def _is_photo(photo: AuditPhoto) -> bool:
    """Return whether a photo has a size in whole pixels and a number of people."""
    whole = isinstance(photo.width, int) and isinstance(photo.height, int)
    sides = sorted((photo.width, photo.height)) if whole else [0]
    return sides[0] >= 1 and sides[-1] <= MOST and 0 <= photo.predicted <= MOST


def _fits(cell: Cell, photos: Sequence[AuditPhoto]) -> bool:
    """Return whether a cell has whole numbers, a chance, people, and lies in its photo."""
    photo, box = photos[cell.photo], cell.box
    if not all(isinstance(number, int) for number in (*box.as_tuple(), cell.size, cell.photo)):
        return False
    inside = min(box.left, box.top) >= 0 and box.right <= photo.width and box.bottom <= photo.height
    return inside and 1 <= cell.size <= LARGEST and 0 <= cell.predicted <= MOST


def _are_leaves(paths: Sequence[str]) -> bool:
    """Return whether paths of 0 and 1 are the leaves of one tree, each once, all of whose nodes have two children."""
    leaves = set(paths)
    nodes = {path[:depth] for path in paths for depth in range(len(path))}
    children = {f"{node}{side}" for node in nodes for side in "01"} | {""}
    return 0 < len(paths) == len(leaves) and not nodes & leaves and children == nodes | leaves


def _limit(wanted: int, draws: int, left: int, right: int) -> int:
    """Keep the draws of a first child within all draws and within the cells of both children."""
    return min(max(wanted, draws - right), left, draws)


def _divide(draws: Floats, left: Node, right: Node) -> tuple[Floats, Floats]:
    """Return the distributions of draws at both children of a node."""
    weight = left.size / (left.size + right.size)
    parts = np.zeros(len(draws)), np.zeros(len(draws))
    for number in np.flatnonzero(draws):
        whole = math.floor(number * weight)
        fraction = number * weight - whole
        for wanted, chance in ((whole, 1 - fraction), (whole + 1, fraction)):
            passed = _limit(wanted, int(number), left.cells, right.cells)
            parts[0][passed] += draws[number] * chance
            parts[1][number - passed] += draws[number] * chance
    return parts


def plan_audit(maps: Sequence[PeopleMap], seed: str, options: AuditOptions | None = None) -> AuditPlan:
    """Return the plan of an audit of photos.

    Args:
        maps: Predicted people of each photo, or of each frame of a video.
        seed: Fixes the draw.
        options: How cells are cut.

    Raises:
        DataError: There is no photo.
    """
    options = options or AuditOptions()
    photos = tuple(AuditPhoto(m.name, *m.size, round(m.total, 4), m.sha256) for m in maps)
    return AuditPlan(photos, tuple(cut_cells(maps, options)), seed, options)
