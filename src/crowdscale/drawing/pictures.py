"""The pictures of a photo by kind: people, heat and zoom, with their captions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from crowdscale.arrays import Pixels
from crowdscale.drawing.captions import draw_captions
from crowdscale.drawing.heads import annotate, draw_zoom
from crowdscale.drawing.heat import GROUND, PHOTO, draw_heat, draw_legend
from crowdscale.errors import unknown_name

if TYPE_CHECKING:
    from datetime import datetime

    from crowdscale.counting.prediction import Prediction

__all__ = ["KINDS", "draw_picture"]

KINDS = ("people", "heat", "zoom")


def draw_picture(
    kind: str,
    image: Pixels,
    prediction: Prediction,
    taken: datetime | None = None,
    overlay: Callable[[Pixels], Pixels] | None = None,
    square_metres: NDArray[Any] | None = None,
) -> Pixels:
    """Return a picture of a prediction.

    Args:
        kind: ``people`` (heads and regions), ``heat`` (people per area) or ``zoom`` (sizes of the second pass).
        image: (h, w, 3) RGB uint8, the photo at its original size or reduced.
        prediction: What is drawn.
        taken: When the photo was taken, for the captions.
        overlay: Draws more over the heads: zones.
        square_metres: Area on the ground of each cell of a grid over the photo, for the heat.

    Raises:
        OptionError: There is no such kind.
    """
    if kind == "people":
        return annotate(image, prediction, overlay, taken)
    if kind == "heat":
        return _heat(image, prediction, taken, square_metres)
    if kind == "zoom":
        return draw_zoom(image, prediction)
    raise unknown_name("picture", kind, KINDS)


def _heat(
    image: Pixels, prediction: Prediction, taken: datetime | None, square_metres: NDArray[Any] | None
) -> Pixels:
    heads = prediction.points
    if heads is not None:
        height, width = image.shape[:2]
        people = heads.scale(width / prediction.size[0], height / prediction.size[1])
        image = draw_heat(image, people, square_metres)
    elif prediction.density is not None:
        image = draw_heat(image, prediction.density, square_metres)
    legend = draw_legend(image, PHOTO if square_metres is None else GROUND)
    return draw_captions(legend, prediction, taken)
