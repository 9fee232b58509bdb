"""Kinds of photos and films: their suffixes, what reads them, and how their first bytes name them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "FILM",
    "FILM_SUFFIXES",
    "HEIC_BRANDS",
    "IMAGE_SUFFIXES",
    "KINDS",
    "ONE_PAGE",
    "OTHER_SUFFIXES",
    "USUAL_SUFFIXES",
    "Kind",
    "brand_of",
    "is_photo_start",
    "kind_of",
]


class Kind(NamedTuple):
    """A kind of photo that is read."""

    name: str
    suffixes: tuple[str, ...]
    reader: str
    """The library."""
    note: str


KINDS = (
    Kind("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), "Pillow", "previews and depth inside are passed over"),
    Kind("PNG", (".png", ".apng"), "Pillow", "16 bits a colour by the rule below"),
    Kind("WebP", (".webp",), "Pillow", ""),
    Kind("BMP", (".bmp", ".dib"), "Pillow", ""),
    Kind("TIFF", (".tif", ".tiff"), "Pillow, OpenCV for colours in floating point", "the largest page, or all"),
    Kind("GIF", (".gif",), "Pillow", "the first frame, or all"),
    Kind("AVIF", (".avif", ".avifs"), "Pillow", ""),
    Kind("HEIC, HEIF", (".heic", ".heif", ".hif", ".heics", ".heifs"), "pi-heif", "turned as the file says"),
    Kind("JPEG XL", (".jxl",), "pillow-jxl-plugin (extra `[jxl]`)", "GPL, and therefore an extra"),
)  # fmt: skip
"""What ``count`` and all other commands read; ``docs/guides/inputs.md`` shows the table."""

IMAGE_SUFFIXES = tuple(suffix for kind in KINDS for suffix in kind.suffixes)
"""Suffixes by which a search finds photos."""

ONE_PAGE = (*KINDS[0].suffixes, *KINDS[3].suffixes, ".jxl")
"""Suffixes of kinds that hold one photo."""

USUAL_SUFFIXES = ", ".join(kind.suffixes[0] for kind in KINDS) + " …"
"""One suffix a kind, for sentences."""

FILM_SUFFIXES = (
    ".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".flv", ".3gp", ".ogv",
)  # fmt: skip
"""Films, which ``watch`` reads."""

OTHER_SUFFIXES = (
    ".jp2", ".j2k", ".svg", ".psd", ".tga", ".pbm", ".pgm", ".ppm", ".exr", ".hdr",
    ".raw", ".dng", ".arw", ".cr2", ".cr3", ".nef", ".orf", ".rw2", ".raf",
    *FILM_SUFFIXES,
)  # fmt: skip
"""Pictures that are not read: a search reports how many it left out, files without suffix too."""

FILM = "a film"
STARTS = {
    b"\x89PNG": "a damaged PNG",
    b"\xff\xd8\xff": "a damaged JPEG",
    b"II*\0": "a TIFF of a kind that is not read",
    b"MM\0*": "a TIFF of a kind that is not read",
    b"II+\0": "a BigTIFF of a kind that is not read",
    b"MM\0+": "a BigTIFF of a kind that is not read",
    b"GIF8": "a damaged GIF",
    b"%PDF": "a PDF",
    b"%!": "a PostScript file",
    b"8BPS": "a Photoshop file",
    b"\0\0\0\x0cjP": "a JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
    b"\0\0\0\x0cJXL": "a damaged JPEG XL picture",
    b"\xff\x0a": "a damaged JPEG XL picture",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML file",
    b"<!doc": "a web page",
    b"<html": "a web page",
    b"PK\x03\x04": "a ZIP archive",
    b"version https://git-lfs": "a pointer of Git LFS instead of the photo: run git lfs pull",
    b"\x1aE\xdf\xa3": FILM,
    b"FLV\x01": FILM,
    b"\0\0\x01\xba": FILM,
    b"\0\0\x01\xb3": FILM,
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": FILM,
    b"OggS": FILM,
}
"""First bytes of files that are often named like photos; letters of text in lower case."""

HEIC_BRANDS = (
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1", b"miaf",
)  # fmt: skip
"""Brands of ISO media files that hold HEIC or HEIF; other brands but ``avif`` and ``avis`` are films."""
AVIF_BRANDS = (b"avif", b"avis")
TRANSPORT = 188
"""Bytes of a packet of an MPEG transport stream; each begins with a G."""


def kind_of(start: bytes) -> str:
    """Return what a file is by its first bytes, in words for an error; empty where they say nothing.

    Args:
        start: 512 bytes, or all that there are.
    """
    brand = brand_of(start)
    if brand:
        return (
            "a damaged HEIC" if brand in HEIC_BRANDS else "a damaged AVIF" if brand in AVIF_BRANDS else FILM
        )
    if start[:4] == b"RIFF":
        return {b"AVI ": FILM, b"WEBP": "a damaged WebP"}.get(start[8:12], "")
    if start[:1] == b"G" and start[TRANSPORT : TRANSPORT + 1] == b"G":
        return FILM
    text = start.lstrip()
    return next(
        (words for begin, words in STARTS.items() if begin in (start[: len(begin)], text[: len(begin)].lower())), ""
    )  # fmt: skip


def brand_of(start: bytes) -> bytes:
    """Return the brand of an ISO media file; empty for another file."""
    return start[8:12] if start[4:8] == b"ftyp" else b""


def is_photo_start(start: bytes) -> bool:
    """Whether a file without suffix is a photo that is read, by its first 16 bytes."""
    if brand_of(start):
        return brand_of(start) in (*HEIC_BRANDS, *AVIF_BRANDS)
    begins = (
        b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF87a", b"GIF89a", b"\0\0\0\x0cJXL ", b"II+\0", b"MM\0+",
    )  # fmt: skip
    return start.startswith(begins) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
