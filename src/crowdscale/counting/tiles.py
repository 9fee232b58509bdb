"""Large photos in tiles: each reads more than it owns, and each person is owned by exactly one tile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crowdscale.errors import OptionError
from crowdscale.points import Box

__all__ = ["Tile", "TileOptions", "batches", "plan_tiles"]

GRID = 32
"""Tiles begin at multiples of this, the networks' stride, so that cells of tiles are cells of the whole."""


PADDED = 1.25
"""Most pixels with padding, as a multiple of ``whole``, of a photo in one piece: strips of few rows cost 32."""


@dataclass(frozen=True)
class TileOptions:
    """How a photo that is too large for one run is cut."""

    whole: int = 2_500_000
    """A photo of at most this many pixels stays in one piece."""
    side: int = 1024
    """Largest side in pixels of the box that a tile owns."""
    margin: int = 128
    """Pixels around that box that a tile reads and does not own."""
    batch: int = 1
    """Tiles in one batch: more cost memory and, on a CPU, gain nothing."""

    def __post_init__(self) -> None:
        if self.side < GRID or self.side % GRID or self.margin < 0 or self.margin % GRID:
            raise OptionError(
                f"expected the side and margin of tiles in multiples of {GRID}", f"{self.side}, {self.margin}"
            )
        if self.whole < 1024 or self.batch < 1:
            raise OptionError("expected whole >= 1024 and batch >= 1", f"{self.whole}, {self.batch}")


@dataclass(frozen=True)
class Tile:
    """A part of a photo."""

    owned: Box
    """The tile counts the people in this box; the owned boxes of all tiles cover the photo once."""
    context: Box
    """The owned box with a margin, cut by the photo's border: the network reads this part."""

    @property
    def inner(self) -> Box:
        """The owned box in the coordinates of the context."""
        left, top = self.context.left, self.context.top
        return Box(
            self.owned.left - left, self.owned.top - top, self.owned.right - left, self.owned.bottom - top
        )


def plan_tiles(width: int, height: int, options: TileOptions) -> list[Tile]:
    """Return the tiles of a (width, height) photo, row by row; one tile for a small photo that is no thin strip."""
    padded = (-(-width // GRID) * GRID) * (-(-height // GRID) * GRID)  # as the network reads it
    if width * height <= options.whole and padded <= PADDED * options.whole:
        frame = Box(0, 0, width, height)
        return [Tile(frame, frame)]
    return [
        Tile(owned, owned.grow(options.margin, (height, width)))
        for top, bottom in _spans(height, options.side)
        for left, right in _spans(width, options.side)
        for owned in (Box(left, top, right, bottom),)
    ]


def _spans(length: int, side: int) -> list[tuple[int, int]]:
    """Cut 0…length into equal parts of at most ``side``, all but the last a multiple of the grid."""
    parts = -(-length // side)
    step = -(-length // (parts * GRID)) * GRID
    return [(start, min(start + step, length)) for start in range(0, length, step)]


def batches(tiles: list[Tile], most: int) -> Iterator[list[Tile]]:
    """Yield batches of successive tiles with contexts of equal size, at most ``most`` tiles each."""
    run: list[Tile] = []
    for tile in tiles:
        if run and (len(run) == most or _shape(tile) != _shape(run[0])):
            yield run
            run = []
        run.append(tile)
    if run:
        yield run


def _shape(tile: Tile) -> tuple[int, int]:
    return tile.context.width, tile.context.height
