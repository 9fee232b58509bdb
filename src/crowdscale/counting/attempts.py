"""Work on one photo that may fail: its result, or one sentence with the photo's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from crowdscale.errors import CrowdscaleError
from crowdscale.files.images import Photo, read_image
from crowdscale.files.pages import split_page
from crowdscale.files.storage import read_photo_bytes

__all__ = ["attempt", "read_file"]

Result = TypeVar("Result")


def attempt(photo: str, work: Callable[[], Result], verb: str = "count") -> tuple[Result | None, str]:
    """Return (result, "") of work on a photo, or (None, sentence) if the photo or the machine does not allow it.

    Any other error is a defect and is raised.

    Args:
        photo: Path, address or name, for the sentence.
        work: Returns the result.
        verb: What the work does, for errors without a sentence of their own.
    """
    try:
        return work(), ""
    except CrowdscaleError as error:
        return None, str(error).replace("the file given", photo)
    except (OSError, MemoryError) as error:
        return None, f"cannot {verb} {photo}: {str(error) or 'too little memory'}"


def read_file(photo: str, max_pixels: int) -> Photo:
    """Return the photo at a path or an address, such as ``scan.tif#2``, reduced to at most ``max_pixels``.

    Raises:
        ImageError: It is missing or no photo.
        OSError: It cannot be read.
    """
    source, page = split_page(photo)
    return read_image(read_photo_bytes(source), max_pixels, page)
