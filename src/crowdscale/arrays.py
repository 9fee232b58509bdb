"""The array types, once; the shape stands where an array is used."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Booleans", "Floats", "Integers", "Maps", "Pixels"]

Pixels: TypeAlias = NDArray[np.uint8]
"""(h, w, 3) RGB, or labels in bytes."""
Maps: TypeAlias = NDArray[np.float32]
"""Maps, features and other arrays of a network."""
Floats: TypeAlias = NDArray[np.float64]
"""Positions, sums and scores."""
Integers: TypeAlias = NDArray[np.int64]
Booleans: TypeAlias = NDArray[np.bool_]
