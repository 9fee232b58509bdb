"""Corrections to learn from, and a stand-in for the trainer (``trainer.py``) with its plan."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from crowdscale.data.corrections import save_correction
from crowdscale.points import Points
from tests.support.fakes import label_photo

HEADS = Points(np.array([(20.0, 30.0), (60.0, 32.0), (100.0, 90.0), (150.0, 60.0), (200.0, 120.0)]))

FAKE = (sys.executable, "-m", "tests.support.trainer")


def correct(folder: Path, number: int) -> None:
    for index in range(number):
        pixels = label_photo(HEADS, 240, 160)
        pixels[0, 0] = index  # photos of their own
        text = json.dumps({"heads": HEADS.xy.tolist()})
        save_correction(folder, f"photo {index}.png", _png(pixels), text)


def plan(tmp_path: Path, model: Path, **more: object) -> None:
    values = {"model": str(model), "steps": 2, "seconds": 0.0, "errors": [5.0, 2.0], **more}
    (tmp_path / "trainer.json").write_text(json.dumps(values))


def _png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
