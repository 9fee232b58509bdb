"""NetworkOutput: the arrays that a backend returns for one view."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from crowdscale.arrays import Maps

__all__ = ["NetworkOutput"]


class NetworkOutput(NamedTuple):
    """The output of the counting network for one view."""

    output: Maps
    """(2, ⌈h/cell⌉, ⌈w/cell⌉) expected and arg-max label, or (1, h, w) density."""
    features: Maps
    """(c, ⌈h⌉/s, ⌈w⌉/s) over the padded view, s the model's ``feature_stride``: the input of the scale net."""
    blocks: Maps | None = None
    """(⌈h⌉/16, ⌈w⌉/16) people in each block over the padded view; None for a model without block counts."""
    cell: int = 1
    """Side in pixels of the output's cells, from the top left."""
    frame: tuple[int, int] | None = None
    """(h, w) of the view where cells are larger than pixels."""

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the view."""
        return self.frame or (self.output.shape[1], self.output.shape[2])

    def cut(self, height: int, width: int) -> NetworkOutput:
        """Return the output for the top left (height, width) pixels."""
        rows, columns = -(-height // self.cell), -(-width // self.cell)
        frame = self.frame and (height, width)
        return self._replace(output=np.ascontiguousarray(self.output[:, :rows, :columns]), frame=frame)

    def enlarged(self) -> NetworkOutput:
        """Return it with a value a pixel: expected labels bilinear between cells, arg-max labels repeated."""
        if self.cell == 1:
            return self
        height, width = self.size
        sides = self.output.shape[2] * self.cell, self.output.shape[1] * self.cell
        whole = [
            cv2.resize(plane, sides, interpolation=how)[:height, :width]
            for plane, how in zip(self.output, (cv2.INTER_LINEAR, cv2.INTER_NEAREST), strict=True)
        ]
        return self._replace(output=np.stack(whole), cell=1, frame=None)
