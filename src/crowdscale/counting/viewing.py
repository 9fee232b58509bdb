"""Shows a prediction in Python: as pixels, on the screen, on axes, in a file, in a notebook."""

from __future__ import annotations

import base64
import html
import io
import json
import os
import sys
import weakref
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crowdscale.arrays import Pixels
from crowdscale.drawing.captions import summary
from crowdscale.drawing.heads import YELLOW, drawable
from crowdscale.drawing.pictures import draw_picture
from crowdscale.errors import CrowdscaleError, ImageError, OptionError
from crowdscale.files.images import resize_image, write_image
from crowdscale.files.taken import date_taken

if TYPE_CHECKING:
    from crowdscale.counting.prediction import Prediction

__all__ = ["as_html", "kept_source", "one_line", "picture", "plot", "save", "show"]

NOTEBOOK_SIDE = 900
"""Longest side in pixels of a picture in a notebook."""


def one_line(prediction: Prediction) -> str:
    """Return a prediction in one line, for a prompt."""
    width, height = prediction.size
    warned = len(prediction.warnings)
    parts = [summary(prediction), f"{width}×{height} px", prediction.model]
    if warned:
        parts.append(f"{warned} warning{'s' * (warned > 1)}")
    return f"Prediction({', '.join(parts)})"


def kept_source(source: Any) -> Any:
    """Return what a prediction keeps of its photo: a path, or a weak reference to an array or a PIL image, or None."""
    if isinstance(source, (str, os.PathLike)):
        return source
    try:
        return None if hasattr(source, "read") else weakref.ref(source)
    except TypeError:  # bytes and lists
        return None


def _photo(prediction: Prediction, photo: Any) -> tuple[Pixels, datetime | None]:
    """Return the pixels of the predicted photo, reduced if it is large, and when it was taken.

    Raises:
        ImageError: There is no photo, or another one.
    """
    from crowdscale.counting.predictor import open_photo

    source = prediction.source if photo is None else photo
    if isinstance(source, weakref.ref):
        source = source()
    if source is None:
        raise ImageError.plain(
            "this prediction does not hold its photo", "Name it: prediction.show(photo='crowd.jpg')"
        )
    opened = open_photo(source, 10**9).turned(prediction.turn)
    if opened.size != prediction.size:
        counted, given = (f"{width}×{height}" for width, height in (prediction.size, opened.size))
        raise ImageError(f"expected the photo of {counted} pixels that was counted", f"one of {given}")
    return drawable(opened.pixels), date_taken(source) if isinstance(source, (str, os.PathLike)) else None


def picture(prediction: Prediction, kind: str = "people", photo: Any = None) -> Pixels:
    """Return ``Prediction.picture``."""
    pixels, taken = _photo(prediction, photo)
    return draw_picture(kind, pixels, prediction, taken)


def show(prediction: Prediction, kind: str = "people", photo: Any = None) -> None:
    """Show a picture: in a notebook below the cell, else in the viewer of the system."""
    from PIL import Image

    drawn = Image.fromarray(picture(prediction, kind, photo))
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and hasattr(shell, "kernel"):
        sys.modules["IPython"].display.display(drawn)
    else:
        drawn.show()


def save(
    prediction: Prediction, path: str | os.PathLike[str], kind: str = "people", photo: Any = None
) -> Path:
    """Write a picture, or everything but the maps as .json, and return the path."""
    target = Path(path)
    if target.suffix.lower() == ".json":
        from crowdscale.files.writing import write_atomic

        content = (json.dumps(prediction.to_dict(), indent=1) + "\n").encode()
        write_atomic(target, lambda stream: stream.write(content))
    else:
        write_image(target, picture(prediction, kind, photo), drawn=True)
    return target


def plot(prediction: Prediction, ax: Any = None, photo: Any = None) -> Any:
    """Draw photo, heads and regions on axes of matplotlib, in pixels of the photo, and return the axes."""
    try:
        from matplotlib import pyplot
        from matplotlib.patches import Rectangle
    except ImportError as error:
        raise OptionError.plain(
            "plot() needs matplotlib", "Run: pip install matplotlib; show() and save() work without"
        ) from error
    pixels, taken = _photo(prediction, photo)
    axes = pyplot.gca() if ax is None else ax
    width, height = prediction.size
    axes.imshow(pixels, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    if prediction.points is not None:
        x, y = prediction.points.xy.T
        axes.scatter(x, y, s=16, facecolors="none", edgecolors=f"#{bytes(YELLOW).hex()}", linewidths=0.9)
    for region in prediction.regions:
        box = region.box
        corner = (box.left - 0.5, box.top - 0.5)
        axes.add_patch(Rectangle(corner, box.width, box.height, fill=False, edgecolor="cyan"))
    axes.set(title=summary(prediction, taken), xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.set_axis_off()
    return axes


def as_html(prediction: Prediction) -> str:
    """Return a prediction for a notebook: its picture where there is a photo, and its words."""
    from PIL import Image

    lines = [summary(prediction), *prediction.warnings]
    text = "<br>".join(html.escape(line) for line in lines)
    try:
        drawn = picture(prediction)
    except (CrowdscaleError, OSError):
        return f"<p>{text}</p>"
    height, width = drawn.shape[:2]
    factor = min(1.0, NOTEBOOK_SIDE / max(height, width))
    small = resize_image(drawn, max(1, round(width * factor)), max(1, round(height * factor)))
    stream = io.BytesIO()
    Image.fromarray(small).save(stream, "JPEG", quality=88)
    data = base64.b64encode(stream.getvalue()).decode()
    return f'<img alt="{html.escape(lines[0])}" src="data:image/jpeg;base64,{data}">'
