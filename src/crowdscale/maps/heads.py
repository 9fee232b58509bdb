"""Heads beside a density: moved, replaced and joined with it; None for a model without heads."""

from __future__ import annotations

from collections.abc import Sequence

from crowdscale.points import Box, Points

__all__ = ["join_heads", "move_back", "replace_heads"]


def move_back(heads: Points | None, context: Box, width: int, height: int) -> Points | None:
    """Return heads of an enlarged (width, height) view of ``context`` in the photo's pixels."""
    if heads is None:
        return None
    return heads.scale(context.width / width, context.height / height).shift(context.left, context.top)


def replace_heads(heads: Points | None, box: Box, second: Points | None) -> Points | None:
    """Return the heads with those in ``box`` taken from ``second``."""
    if heads is None or second is None:
        return None
    return Points.concatenate([heads.outside(box), second.inside(box)])


def join_heads(parts: Sequence[tuple[Box, Points | None]]) -> Points | None:
    """Return the heads of a photo from those of its parts, each owning its box."""
    own = [heads.inside(box) for box, heads in parts if heads is not None]
    return Points.concatenate(own) if own and len(own) == len(parts) else None
