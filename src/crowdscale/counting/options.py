"""The options of prediction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from crowdscale.counting.read_scale import ReadScaleOptions
from crowdscale.counting.tiles import TileOptions
from crowdscale.deprecation import renamed
from crowdscale.errors import OptionError
from crowdscale.files.images import MAX_PIXELS
from crowdscale.maps.regions import RuleChoice
from crowdscale.points import Box

__all__ = ["CALIBRATED", "MAP_CELL", "MOST_READ_SCALE", "TURNS", "PredictOptions", "Turn"]

MAP_CELL = 8
"""Side in pixels of a cell of ``Prediction.map``, or the network's feature stride if it is smaller."""

MOST_READ_SCALE = 2.0
"""Largest read scale: a larger one gains little (research/logs/small22.md)."""

Turn = Literal["off", "auto", 90, 180, 270]
TURNS = ("off", "auto", 90, 180, 270)
"""Values of ``turn``."""

CALIBRATED = ("refine", "zoom", "regions", "third_pass", "rule", "merge")
"""Options that change counts: another value than the default gives no intervals."""


@renamed(factor="zoom", again="third_pass", base="read_scale", bases="read_scale_search")
@dataclass(frozen=True)
class PredictOptions:
    """How photos are predicted."""

    refine: bool = True
    """Give dense regions a second pass; False stops after the first pass."""
    zoom: float | Callable[[Box], float] | None = None
    """A fixed zoom in place of the learned one, or a function of each region's box in pixels of the photo as read."""
    regions: int | Literal["all"] = 1
    """At most this many dense regions get a second pass, the largest first, or ``all``; in a large photo, of each tile.
    Regions that touch with their context are joined."""
    third_pass: bool = False
    """Give the densest part of an enlarged region a third pass where it is still too dense."""
    rule: RuleChoice = field(default_factory=RuleChoice)
    """Parts of the region rule in place of the model's own."""
    merge: Literal["ownership", "published"] = "ownership"
    """``ownership``: each person is counted by the pass that owns the position; ``published``: the region is blanked
    in the first pass and the second count added, as the papers do."""
    max_pixels: int = MAX_PIXELS
    """Photos with more pixels are reduced to this many when they are read."""
    read_scale: float | None = None
    """Side factor at which a photo is read, at most 2; None chooses it for large photos, and for small ones with a
    model whose description asks for it."""
    tiles: TileOptions = field(default_factory=TileOptions)
    """How a large photo is cut."""
    read_scale_search: ReadScaleOptions = field(default_factory=ReadScaleOptions)
    """How the read scale of a large photo is chosen."""
    turn: Turn = "off"
    """Degrees by which a photo is turned clockwise before it is counted; ``auto`` turns it where a warning would say
    that it lies on its side or is upside down. All coordinates are those of the turned photo."""
    keep_map: bool = True
    """Keep the map of the first pass, in cells of ``MAP_CELL`` pixels."""
    held_turn: int | None = None
    """Quarters, counter-clockwise, that would bring the frames of this camera upright; None checks photos in doubt."""

    def __post_init__(self) -> None:
        if self.merge not in ("ownership", "published"):
            raise OptionError("expected merge as ownership or published", repr(self.merge))
        if self.turn not in TURNS:
            raise OptionError(f"expected turn as {', '.join(map(str, TURNS))}", repr(self.turn))
        if self.max_pixels < 1024:
            raise OptionError("expected max-pixels of at least 1024", str(self.max_pixels))
        if self.regions != "all" and not (isinstance(self.regions, int) and self.regions >= 1):
            raise OptionError("expected regions of at least 1, or all", repr(self.regions))
        if self.held_turn not in (None, 0, 1, 2, 3):
            raise OptionError("expected a turn from 0 to 3 quarters", str(self.held_turn))
        self._check_scales()
        if self.third_pass and callable(self.zoom):
            raise OptionError("expected one fixed or the learned zoom with a third pass", "a function")
        if self.third_pass and self.merge == "published":
            raise OptionError("expected merge as ownership with a third pass", self.merge)

    def _check_scales(self) -> None:
        if self.zoom is not None and not callable(self.zoom) and not 0.1 <= self.zoom <= 10:
            raise OptionError("expected a fixed zoom from 0.1 to 10", str(self.zoom))
        if self.read_scale is not None and not 0.01 <= self.read_scale <= MOST_READ_SCALE:
            raise OptionError("expected a read scale from 0.01 to 2", str(self.read_scale))

    @property
    def as_calibrated(self) -> bool:
        """Whether photos are counted with the options of the calibration."""
        usual = PredictOptions()
        return all(getattr(self, name) == getattr(usual, name) for name in CALIBRATED)

    @property
    def published(self) -> bool:
        """Whether both passes are merged as published."""
        return self.merge == "published"
