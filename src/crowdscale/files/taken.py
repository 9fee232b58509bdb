"""When a photo was taken, by its EXIF data."""

from __future__ import annotations

import os
from datetime import datetime
from typing import IO

__all__ = ["date_taken"]

EXIF = 0x8769
"""Tag of the camera's own data."""
TAKEN = (0x9003, 0x9004)
"""Tags of the time of the shot, and of its digitisation. The file's own time (0x0132) changes when it is edited."""


def date_taken(path: str | os.PathLike[str] | IO[bytes]) -> datetime | None:
    """Return when a photo was taken, in the camera's local time; None where the file does not say it."""
    from crowdscale.files.decoder import opened

    try:
        with opened(path, "") as image:
            tags = image.getexif().get_ifd(EXIF)
    except Exception:  # broken EXIF data raises errors of many kinds; the photo is read elsewhere
        return None
    for tag in TAKEN:
        try:
            return datetime.strptime(str(tags[tag]).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        except (KeyError, ValueError):
            continue
    return None
