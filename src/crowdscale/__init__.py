"""Counts and locates people in dense crowds (AutoScale): ``crowdscale.load().predict("photo.jpg").count``."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crowdscale.counting.prediction import Prediction, Region
    from crowdscale.counting.predictor import PredictOptions, Predictor, load
    from crowdscale.data.sample import Sample
    from crowdscale.errors import CrowdscaleError
    from crowdscale.points import Box, Points

__all__ = [
    "Box",
    "CrowdscaleError",
    "Points",
    "PredictOptions",
    "Prediction",
    "Predictor",
    "Region",
    "Sample",
    "__version__",
    "load",
]

__version__ = "0.1.0"

# Since 1.29 ONNX Runtime reports each process, model and run to its maker, unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOMES = {
    "Box": "points",
    "CrowdscaleError": "errors",
    "Points": "points",
    "PredictOptions": "counting.predictor",
    "Prediction": "counting.prediction",
    "Predictor": "counting.predictor",
    "Region": "counting.prediction",
    "Sample": "data.sample",
    "load": "counting.predictor",
}
"""The module of each public name, imported when it is first asked for: ``--help`` needs no NumPy."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
