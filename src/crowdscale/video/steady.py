"""A predictor for the frames of one camera, which keep their scale and their turn for a while."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from crowdscale.counting.options import Turn
from crowdscale.counting.prediction import Prediction
from crowdscale.trust.profile import turn_of
from crowdscale.video.frame import Frame, Source

__all__ = ["FramePredictor", "Steady"]


class FramePredictor(Protocol):
    """What a watch needs of a predictor."""

    def predict(self, source: Any) -> Prediction:
        """Return the people in (h, w, 3) RGB pixels."""
        ...

    def with_options(self, **changes: Any) -> FramePredictor:
        """Return the same predictor with other options: a fixed scale, the turn of the camera."""
        ...


@dataclass
class Steady:
    """Counts frames: the read scale and the check of the turn hold for a while, as long as frames keep their size.

    Args:
        predictor: A model.
        hold: Seconds for which the scale holds.
        turn: Degrees clockwise; ``auto``: as the first frame needs it.
        source: Gets a remark on the turn.
    """

    predictor: FramePredictor
    hold: float
    turn: Turn
    source: Source
    _kept: FramePredictor | None = None
    _until: float = 0.0
    _shape: tuple[int, ...] = ()

    def predict(self, frame: Frame) -> tuple[Frame, Prediction]:
        """Return the frame as it was turned, and its people."""
        if self.turn == "auto":
            return self._decide(frame)
        frame = _turned(frame, 0 if self.turn == "off" else self.turn)
        if self._kept is not None and frame.time < self._until and frame.pixels.shape == self._shape:
            return frame, self._kept.predict(frame.pixels)
        prediction = self.predictor.predict(frame.pixels)
        self._hold(frame, prediction)
        return frame, prediction

    def _decide(self, frame: Frame) -> tuple[Frame, Prediction]:
        """Count the first frame, which decides how all are turned: zones and tracks stand on one picture."""
        prediction = self.predictor.with_options(turn="auto").predict(frame.pixels)
        self.turn = prediction.turn or "off"  # type: ignore[assignment]
        if prediction.turn:
            self.source.note_once(
                f"{self.source.name} seems to lie on its side or upside down: each frame is turned by {prediction.turn}° "
                f"clockwise, as with --turn {prediction.turn}."
            )
        frame = _turned(frame, prediction.turn)
        self._hold(frame, prediction)
        return frame, prediction

    def _hold(self, frame: Frame, prediction: Prediction) -> None:
        self._kept = self.predictor.with_options(
            read_scale=prediction.read_scale,
            held_turn=turn_of(prediction.warnings) if prediction.usable else None,
        )
        self._until, self._shape = frame.time + self.hold, frame.pixels.shape


def _turned(frame: Frame, degrees: int) -> Frame:
    """Return the frame turned clockwise."""
    if not degrees:
        return frame
    return replace(frame, pixels=np.ascontiguousarray(np.rot90(frame.pixels, -degrees // 90)))
