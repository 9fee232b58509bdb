"""The bound on the memory of photos of more than 8 bits a value, which take several times that of others.

Photos of 8 bits are bounded by their pixels alone (``decoder.MAX_PIXELS``).
"""

from __future__ import annotations

from crowdscale.errors import ImageError

__all__ = ["DEEP", "DEEP_COLOURS", "DEEP_GREY", "check_memory", "fits_memory"]

MOST_BYTES = 1_900_000_000
"""Bytes that such a photo may take while it is read: with the process itself below 2 GB."""

DEEP_GREY = {"I": 8, "F": 8}
"""Bytes a pixel of grey values: Pillow's and a copy of them; 16 bits (4) for any other mode."""

DEEP = 7
"""Bytes a pixel of colours of 16 bits, of which Pillow keeps the upper 8: its 4 and the result's 3."""

DEEP_COLOURS = 22
"""Bytes a pixel of colours of 10 to 14 bits in a file of 16: Pillow's 4, OpenCV's 12, the result's 3, and copies."""


def fits_memory(size: tuple[int, int], each: int) -> bool:
    """Return whether a photo of (width, height) with so many bytes a pixel stays within the bound."""
    return size[0] * size[1] * each <= MOST_BYTES


def check_memory(size: tuple[int, int], each: int, name: str) -> None:
    """Refuse a photo beyond the bound. Raises ImageError."""
    if not fits_memory(size, each):
        width, height = size
        raise ImageError(
            "expected a photo of more than 8 bits a value that takes at most 2 GB while it is read",
            f"{width}×{height} in {name}, which takes {width * height * each / 1e9:.1f} GB",
            "Save it with 8 bits, reduce it or cut it into parts with another program first",
        )
