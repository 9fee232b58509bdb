"""The size of a JPEG XL picture from its header: its decoder gives none before it has decoded everything."""

from __future__ import annotations

__all__ = ["jxl_size"]

CODESTREAM = b"\xff\x0a"
RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width over height by the three bits of the header (ISO/IEC 18181-1, SizeHeader)."""
LENGTHS = (9, 13, 18, 30)
"""Bits of a side by its two bits of selection."""
HEADER = 16
"""Bytes that hold every size."""


def jxl_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) as stored, before any turn.

    Args:
        data: The file.

    Raises:
        ValueError: It holds no codestream.
    """
    bits = _Bits(_codestream(data)[2 : 2 + HEADER])
    small = bits.take(1)
    height = _side(bits, small)
    ratio = bits.take(3)
    if ratio == 0:
        return _side(bits, small), height
    over, under = RATIOS[ratio - 1]
    return height * over // under, height


def _side(bits: _Bits, small: int) -> int:
    return (bits.take(5) + 1) * 8 if small else bits.take(LENGTHS[bits.take(2)]) + 1


def _codestream(data: bytes) -> bytes:
    """Return the beginning of the codestream, bare or in the boxes of a container."""
    if data.startswith(CODESTREAM):
        return data
    at = 0
    while at + 16 <= len(data):
        length, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if kind in (b"jxlc", b"jxlp"):
            start = at + head + (4 if kind == b"jxlp" else 0)
            if data[start : start + 2] == CODESTREAM:
                return data[start : start + 2 + HEADER]
        if length < head:
            break
        at += length
    raise ValueError("no codestream of JPEG XL")


class _Bits:
    """Bits of a header, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")

    def take(self, number: int) -> int:
        """Return the next bits as a number."""
        value = self._left & ((1 << number) - 1)
        self._left >>= number
        return value
