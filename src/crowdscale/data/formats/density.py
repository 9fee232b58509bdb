"""Density maps: a .npy or .tif a photo, with a Gaussian of σ 4 px on each head; the sum is the number of heads."""

from __future__ import annotations

import io
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crowdscale.data.checks import is_outside
from crowdscale.data.formats.label import Format, Label, photo_size_of
from crowdscale.errors import DataError
from crowdscale.files.finding import PICTURE_MARK
from crowdscale.maps.density import Density

__all__ = ["DENSITY_NPY", "DENSITY_TIF"]


def _density(name: str, label: Label) -> NDArray[np.float32]:
    """Return the (h, w) map. Raises DataError for heads outside the photo, which it would lose."""
    width, height = photo_size_of(label, name)
    beyond = int(is_outside(label.points, (width, height)).sum())
    if beyond:
        raise DataError(f"expected heads inside {name}", f"{beyond} outside, which a density map loses")
    return Density().encode(label.points.within(width, height), width, height)


def _write_npy(name: str, label: Label) -> bytes:
    stream = io.BytesIO()
    np.save(stream, _density(name, label), allow_pickle=False)
    return stream.getvalue()


def _write_tif(name: str, label: Label) -> bytes:
    stream = io.BytesIO()
    # Uncompressed, the description stands at the beginning: a search for photos passes over the file.
    Image.fromarray(_density(name, label)).save(stream, "TIFF", description=PICTURE_MARK.decode())
    return stream.getvalue()


def _target(photo: str) -> str:
    path = PurePosixPath(photo)
    return str(path.with_name(f"{path.stem}_density.tif"))


DENSITY_NPY = Format(
    "density-npy",
    "NAME.npy a photo: its density map, float32",
    ".npy",
    False,
    True,
    False,
    write_one=_write_npy,
)
DENSITY_TIF = Format(
    "density-tif", "NAME_density.tif a photo: its density map, float32", ".tif", False, True, False,
    write_one=_write_tif, target=_target,
)  # fmt: skip
