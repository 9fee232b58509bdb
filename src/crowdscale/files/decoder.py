"""The one door to Pillow: allowed formats, bounds before decoding, one error for every fault.

Pillow's own limit of pixels is a setting of the process that imports this package, so it stays untouched:
the plugins are called directly, and the bounds here apply instead.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from crowdscale.errors import CrowdscaleError, ImageError

__all__ = ["MAX_PIXELS", "MAX_SIDE", "check_regular", "choose_page", "opened", "orientation_of", "photo_size"]

MAX_PIXELS = 400_000_000
"""A photo with more pixels is refused before it is decoded (1.2 GB as RGB)."""
MAX_SIDE = 65_535
"""A photo with a longer side is refused, as JPEG does: memory grows with the square of the longer side."""
MAX_PAGES = 1_000
"""Pages of a TIFF whose sizes are compared."""

ORIENTATION = 0x0112
"""The EXIF tag of the orientation."""
TURNED = (5, 6, 7, 8)
"""Orientations that swap width and height."""

PLUGINS = (
    JpegImagePlugin.JpegImageFile, PngImagePlugin.PngImageFile, WebPImagePlugin.WebPImageFile,
    BmpImagePlugin.BmpImageFile, TiffImagePlugin.TiffImageFile, GifImagePlugin.GifImageFile,
    AvifImagePlugin.AvifImageFile,
)  # fmt: skip
"""Decoders that run inside this process; no format here starts another program."""
ALLOWED = tuple(plugin.format for plugin in PLUGINS)

STARTS = {
    b"\x89PNG": "a damaged PNG",
    b"\xff\xd8\xff": "a damaged JPEG",
    b"II*\0": "a TIFF of a kind that is not read, such as colours in floating point",
    b"MM\0*": "a TIFF of a kind that is not read, such as colours in floating point",
    b"II+\0": "a BigTIFF, which is not read",
    b"MM\0+": "a BigTIFF, which is not read",
    b"%PDF": "a PDF",
    b"%!": "a PostScript file",
    b"8BPS": "a Photoshop file",
    b"\0\0\0\x0cjP": "a JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
    b"\0\0\0\x0cJXL": "a JPEG XL picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML file",
    b"<!DOC": "a web page",
    b"<html": "a web page",
    b"PK\x03\x04": "a ZIP archive",
    b"version https://git-lfs": "a pointer of Git LFS instead of the photo: run git lfs pull",
}
"""First bytes of files that are often named like photos."""
BRANDS = {
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"mif1": "HEIC",
    b"msf1": "HEIC",
    b"hevc": "HEIC",
    b"avif": "AVIF",
}
"""Brands of ISO media files that hold pictures; other brands are films."""


@contextmanager
def opened(source: str | os.PathLike[str] | IO[bytes], name: str) -> Iterator[Image.Image]:
    """Open a picture of an allowed format within the bounds; turn every fault inside into one error.

    Args:
        source: A path or an open binary file.
        name: The picture's name in errors.

    Raises:
        ImageError: The file is missing, no picture, damaged, or too large.
    """
    try:
        with _stream(source) as stream, _identified(stream, name) as image:
            check_bounds(image.size, name)
            yield image
    except CrowdscaleError:
        raise
    except FileNotFoundError:
        raise ImageError.plain(f"no such photo: {name}") from None
    except IsADirectoryError:
        raise ImageError("expected a photo", f"the folder {name}", "Name a file in it") from None
    except MemoryError as error:
        raise ImageError(
            "expected a whole photo", f"{name}, which needs more memory than there is"
        ) from error
    except Exception as error:  # decoders raise a dozen classes for damaged bytes
        why = " ".join(str(error).split()) or type(error).__name__
        raise ImageError("expected a whole photo", f"{name}, which cannot be decoded ({why})") from error


@contextmanager
def _stream(source: str | os.PathLike[str] | IO[bytes]) -> Iterator[IO[bytes]]:
    if isinstance(source, (str, os.PathLike)):
        check_regular(Path(source))
        with Path(source).open("rb") as stream:
            yield stream
    elif not hasattr(source, "seekable") or source.seekable():
        yield source
    else:
        yield io.BytesIO(source.read())


def _identified(stream: IO[bytes], name: str) -> Image.Image:
    """Return the picture, not yet decoded. Raises ImageError where no allowed decoder knows its beginning."""
    stream.seek(0)
    start = stream.read(64)
    for kind in ALLOWED:
        factory, accept = Image.OPEN[kind]
        accepted = accept is None or accept(start[:16])
        if accepted and not isinstance(accepted, str):
            stream.seek(0)
            try:
                return factory(stream, "")
            except (SyntaxError, IndexError, TypeError, struct.error) as error:
                unknown = _unknown(start, name)
                raise unknown from error
    raise _unknown(start, name)


def _unknown(start: bytes, name: str) -> ImageError:
    """Return the error for a file that no decoder takes; it names the kind where the first bytes do."""
    kind = next((words for begin, words in STARTS.items() if start.lstrip()[: len(begin)] == begin), "")
    if start[4:8] == b"ftyp":
        brand = BRANDS.get(start[8:12], "")
        kind = f"{brand}, which is not read" if brand else "a film: use crowdscale watch"
    received = f"{kind} in {name}" if kind else f"something else in {name}"
    return ImageError("expected a JPEG, PNG, WebP, BMP or TIFF", received, "Convert or remove it")


def check_bounds(size: tuple[int, int], name: str) -> None:
    """Refuse a picture whose sides or area are too large to decode. Raises ImageError."""
    width, height = size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"expected a photo of at most {MAX_PIXELS / 1e6:.0f} megapixels",
            f"{width}×{height} = {width * height / 1e6:.0f} in {name}",
            "Reduce it or cut it into parts with another program first",
        )
    if max(size) > MAX_SIDE:
        raise ImageError(
            f"expected a photo whose sides have at most {MAX_SIDE:,} pixels",
            f"{width}×{height} in {name}",
            "Cut it into parts with another program first",
        )


def check_regular(path: Path) -> None:
    """Refuse a pipe, a device (which would be waited for) and an empty file. Raises ImageError."""
    if path.exists() and not path.is_dir() and not path.is_file():
        raise ImageError(
            "expected a photo", f"{path}, which is a pipe or a device", "Save it to a file first"
        )
    if path.is_file() and not path.stat().st_size:
        raise ImageError("expected a photo", f"{path}, which is empty")


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation from 1 to 8; 1 where the picture has none or a damaged one."""
    try:
        value: Any = image.getexif().get(ORIENTATION, 1)
    except Exception:  # a damaged EXIF block says nothing about the pixels
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def choose_page(image: Image.Image, name: str) -> str:
    """Move a TIFF of several pages to its largest one; return a note where a choice was made, or nothing.

    The other pages of a JPEG (previews, depth, gain maps) belong to the first one.

    Raises:
        ImageError: The largest page is too large.
    """
    if image.format == "TIFF":
        return _largest_page(image, name)
    frames = getattr(image, "n_frames", 1) if getattr(image, "is_animated", False) else 1
    if frames > 1 and image.format != "MPO":
        return f"The file is an animation: frame 1 of {frames} was counted."
    return ""


def _largest_page(image: Image.Image, name: str) -> str:
    sizes = [image.size]
    while len(sizes) < MAX_PAGES:
        try:
            image.seek(len(sizes))
        except Exception:  # the end, or a damaged page: those before it stand
            break
        sizes.append(image.size)
    if len(sizes) == 1:
        image.seek(0)
        return ""
    areas = [width * height for width, height in sizes]
    best = areas.index(max(areas))
    image.seek(best)
    check_bounds(image.size, name)
    if best == 0 and areas.count(areas[0]) == 1:
        return ""  # smaller copies of the first page
    return f"The file has {len(sizes)} pages: page {best + 1}, the {'first' if best == 0 else 'largest'}, was counted."


def photo_size(path: Path) -> tuple[int, int]:
    """Return (width, height) of the upright photo from its header, without decoding it.

    Raises:
        ImageError: The file is missing, no picture, or too large.
    """
    with opened(path, str(path)) as image:
        choose_page(image, str(path))
        width, height = image.size
        return (height, width) if orientation_of(image) in TURNED else (width, height)
