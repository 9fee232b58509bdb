"""The photo on the clipboard: a picture that was copied, or a file of one."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

from crowdscale.errors import ImageError

__all__ = ["CLIPBOARD", "clipboard_photo"]

CLIPBOARD = "clipboard:"
"""The name under which ``count`` takes it."""
TOOLS = {
    "wl-paste": ("WAYLAND_DISPLAY", ["--no-newline", "--type"]),
    "xclip": ("DISPLAY", ["-selection", "clipboard", "-out", "-target"]),
}
"""Programs that read the clipboard of Linux: the variable of their display, and arguments before the type."""
TYPES = ("image/png", "image/jpeg", "image/tiff", "image/bmp")
SECONDS = 10.0


def clipboard_photo() -> bytes:
    """Return the photo on the clipboard as the bytes of a file.

    Raises:
        ImageError: There is no clipboard, or no photo on it.
    """
    photo = _by_pillow() if sys.platform in ("win32", "darwin") else _by_program()
    if not photo:
        raise ImageError.plain("no photo is on the clipboard", "Copy one, or name a file")
    return photo


def _by_program() -> bytes:
    tool = next((t for t, (display, _) in TOOLS.items() if os.environ.get(display) and shutil.which(t)), None)
    if tool is None:
        raise ImageError.plain(
            "the clipboard needs a screen, and the program wl-paste or xclip",
            "Install wl-clipboard or xclip, or name a file",
        )
    for kind in TYPES:
        command = [tool, *TOOLS[tool][1], kind]
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ImageError("expected a clipboard that answers", f"{error}", "Name a file") from error
        if done.returncode == 0 and done.stdout:
            return done.stdout
    return b""


def _by_pillow() -> bytes:
    from PIL import Image, ImageGrab

    from crowdscale.files.storage import read_photo_bytes

    try:
        content = ImageGrab.grabclipboard()
    except (OSError, NotImplementedError, ValueError) as error:
        raise ImageError("expected a clipboard that can be read", f"{error}", "Name a file") from error
    if isinstance(content, list):  # files that were copied
        return read_photo_bytes(str(Path(content[0]))) if content else b""
    if not isinstance(content, Image.Image):
        return b""
    stream = io.BytesIO()
    content.save(stream, "PNG")
    return stream.getvalue()
