"""The protocol of a backend: a model that is loaded and runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from crowdscale.arrays import Maps, Pixels
from crowdscale.maps.output import NetworkOutput
from crowdscale.models.description import ModelConfig

__all__ = ["Backend", "NetworkOutput", "Opener"]


class Backend(Protocol):
    """Runs a model; every call is safe from several threads."""

    def predict(self, pixels: Pixels) -> NetworkOutput:
        """Run the counting network on (h, w, 3) RGB pixels."""
        ...

    def predict_batch(self, views: Sequence[Pixels]) -> list[NetworkOutput]:
        """Run the counting network on views of one size together; returns an output for each in order."""
        ...

    def area_factor(self, pooled: Maps) -> float:
        """Run the scale net on (c, 14, 14) pooled features; returns the unclamped q = r² (AutoScale §3.3)."""
        ...


class Opener(Protocol):
    """A backend's constructor."""

    def __call__(self, folder: Path, config: ModelConfig, device: str, threads: int) -> Backend:
        """Load the model in ``folder``; ``threads`` 0 leaves the choice to the backend."""
        ...
