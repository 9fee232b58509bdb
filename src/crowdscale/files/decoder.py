"""The one door to Pillow: allowed formats, bounds before decoding, one error for every fault.

Pillow's own limit of pixels is a setting of the process that imports this package, so it stays untouched:
the plugins are called directly, and the bounds here apply instead.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
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
from crowdscale.files.deep import deep_tiff
from crowdscale.files.heic import check_items
from crowdscale.files.jxl import jxl_size
from crowdscale.files.kinds import FILM, HEIC_BRANDS, brand_of, kind_of
from crowdscale.files.memory import check_memory

__all__ = [
    "MAX_PIXELS",
    "MAX_SIDE",
    "check_bounds",
    "check_regular",
    "choose_page",
    "opened",
    "orientation_of",
    "photo_pages",
    "photo_size",
    "stored_orientation",
]

MAX_PIXELS = 400_000_000
"""A photo with more pixels is refused before it is decoded (1.2 GB as RGB)."""
MAX_SIDE = 65_535
"""A photo with a longer side is refused, as JPEG does: lines of a million pixels are no photos."""
MAX_PAGES = 1_000
"""Pages of a file that are compared or counted."""
READ = "Photos are JPEG, PNG, HEIC, AVIF, WebP, TIFF, GIF or BMP"
SUBFILE, COPY = 254, 1 | 4
"""The TIFF tag of a page's role, and its bits for a reduced copy and a mask."""
SINGLE = ("JPEG", "MPO")
"""Formats whose other pictures belong to the first one."""

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
        raise ImageError.plain(f"{name} is a folder", "Name a file in it") from None
    except MemoryError as error:
        raise ImageError.plain(f"{name} needs more memory than there is") from error
    except Exception as error:  # decoders raise a dozen classes for damaged bytes
        why = " ".join(str(error).split()) or type(error).__name__
        raise ImageError.plain(f"{name} is damaged and cannot be decoded ({why})") from error


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
    start = stream.read(512)
    fault: Exception | None = None
    for opener in _openers(start, name):
        stream.seek(0)
        try:
            image = opener(stream)
        except (SyntaxError, IndexError, TypeError, KeyError, struct.error) as error:
            fault = error
            continue
        if image is not None:
            return image
    kind = kind_of(start)
    remedy = f"Run: crowdscale watch {name}" if kind == FILM else "Convert or remove it" if kind else READ
    raise ImageError.plain(f"{name} is {kind or 'no photo'}", remedy) from fault


Opener = Callable[[IO[bytes]], Image.Image | None]


def _openers(start: bytes, name: str) -> Iterator[Opener]:
    """Yield the decoders that may take a file with this beginning."""
    for kind in ALLOWED:
        factory, accept = Image.OPEN[kind]
        accepted = accept is None or accept(start[:16])
        if accepted and not isinstance(accepted, str):
            yield partial(_call, factory)
    if brand_of(start) in HEIC_BRANDS:
        yield _open_heic
    if start.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        yield partial(_open_jxl, name)
    if start.startswith((b"II", b"MM")):
        yield lambda stream: deep_tiff(stream, partial(_check_deep, name))


def _check_deep(name: str, size: tuple[int, int], each: int) -> None:
    check_bounds(size, name)
    check_memory(size, each, name)


def _call(factory: Callable[[IO[bytes], str], Image.Image], stream: IO[bytes]) -> Image.Image:
    return factory(stream, "")


def _open_heic(stream: IO[bytes]) -> Image.Image:
    from pi_heif.as_plugin import HeifImageFile

    check_items(stream)
    stream.seek(0)
    image: Image.Image = HeifImageFile(stream, "")
    return image


def _open_jxl(name: str, stream: IO[bytes]) -> Image.Image:
    """Open a JPEG XL picture, which is decoded at once: its size is checked before."""
    if find_spec("pillow_jxl") is None:
        raise ImageError(
            "expected the extra [jxl] for JPEG XL", f"none for {name}", "Run: pip install 'crowdscale[jxl]'"
        )
    check_bounds(jxl_size(stream.read()), name)
    from pillow_jxl.JpegXLImagePlugin import JXLImageFile

    stream.seek(0)
    image: Image.Image = JXLImageFile(stream, "")
    if not getattr(image, "jpeg", False):
        image.getexif().pop(ORIENTATION, None)  # its decoder has turned it already
    return image


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
        raise ImageError.plain(f"{path} is empty")


def orientation_of(image: Image.Image) -> int:
    """Return the orientation by which a picture is still to be turned; 1 for TIFF, which Pillow and OpenCV turn themselves."""
    return 1 if image.format == "TIFF" else stored_orientation(image)


def stored_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation from 1 to 8, before a TIFF is decoded; 1 where there is none or a damaged one."""
    try:
        value: Any = image.getexif().get(ORIENTATION, 1)
    except Exception:  # a damaged EXIF block says nothing about the pixels
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def choose_page(image: Image.Image, name: str, page: int | None = None) -> str:
    """Move a file of several pictures to one of them; return a note where a choice was made, or nothing.

    A TIFF gives its largest page, HEIC its main picture, an animation its first frame. The other pictures of a JPEG
    (previews, depth, gain maps) belong to the first one.

    Args:
        image: The open file.
        name: Its name in errors.
        page: The page or frame, from 1; None chooses it.

    Raises:
        ImageError: There is no such page, or it is too large.
    """
    if page is not None:
        _turn_to(image, page, name)
        return ""
    if image.format == "TIFF":
        return _largest_page(image, name)
    frames = getattr(image, "n_frames", 1) if getattr(image, "is_animated", False) else 1
    if frames < 2 or image.format in SINGLE:
        return ""
    if image.format == "HEIF":
        return f"The file holds {frames} pictures: the main one was counted."
    return f"The file is an animation: frame 1 of {frames} was counted."


def _turn_to(image: Image.Image, page: int, name: str) -> None:
    try:
        if page > 1 and image.format in SINGLE:
            raise EOFError
        image.seek(page - 1)
    except (EOFError, ValueError):
        raise ImageError(f"expected page {page} of {name}", f"{_page_count(image)} in all") from None
    check_bounds(image.size, name)


def _page_count(image: Image.Image) -> int:
    if image.format in SINGLE:
        return 1
    if image.format == "TIFF":
        image.seek(0)
        return sum(1 for _ in _walk_pages(image))
    return int(getattr(image, "n_frames", 1))


def _largest_page(image: Image.Image, name: str) -> str:
    areas = _own_pages(image)
    best = max(areas, key=areas.__getitem__)  # the first of equal ones
    image.seek(best - 1)
    check_bounds(image.size, name)
    if len(areas) == 1:
        return ""
    equal = list(areas.values()).count(areas[best]) > 1
    which = "the first of the largest" if equal else "the largest"
    return f"The file has {len(areas)} pages: page {best}, {which}, was counted."


def _own_pages(image: Image.Image) -> dict[int, int]:
    """Return the pixels of each page of a TIFF by its number, from 1, without marked reduced copies and masks."""
    tags: Any = image
    pixels = {
        page: image.size[0] * image.size[1]
        for page in _walk_pages(image)
        if not int(tags.tag_v2.get(SUBFILE, 0)) & COPY
    }
    return pixels or {1: 0}


def _walk_pages(image: Image.Image) -> Iterator[int]:
    """Move a TIFF from page to page, at most ``MAX_PAGES``; yield each number, from 1."""
    yield 1
    for page in range(1, MAX_PAGES):
        try:
            image.seek(page)
        except Exception:  # the end, or a damaged page: those before it stand
            return
        yield page + 1


def photo_pages(source: str | os.PathLike[str] | IO[bytes], name: str = "") -> list[int]:
    """Return the numbers, from 1, of the pages, frames or pictures of a file that are photos of their own.

    Pages that a TIFF marks as reduced copies or masks are left out.

    Raises:
        ImageError: The file cannot be read, or holds more than ``MAX_PAGES``.
    """
    name = name or str(source)
    with opened(source, name) as image:
        if image.format == "TIFF":
            return list(_own_pages(image))
        count = _page_count(image)
        if count > MAX_PAGES:
            raise ImageError(
                f"expected at most {MAX_PAGES:,} frames", f"{count:,} in {name}", "Use crowdscale watch"
            )
        return list(range(1, count + 1))


def photo_size(path: Path) -> tuple[int, int]:
    """Return (width, height) of the upright photo from its header, without decoding it.

    Raises:
        ImageError: The file is missing, no picture, or too large.
    """
    with opened(path, str(path)) as image:
        choose_page(image, str(path))
        width, height = image.size
        return (height, width) if orientation_of(image) in TURNED else (width, height)
