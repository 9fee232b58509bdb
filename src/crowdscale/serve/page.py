"""The page's files: a fixed table made at the start, so that no path of a request is ever opened."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from crowdscale import __version__
from crowdscale.errors import CrowdscaleError
from crowdscale.trust.profile import SENTENCES, TURNED, UNLIKE

__all__ = ["PageFile", "find_page", "page_files", "site_description"]

SUFFIXES = (".html", ".css", ".js", ".svg", ".webmanifest")
"""Of the page's files that are served; what stands beside them is not."""

DASHBOARD = "dashboard"
"""Beginning of the names of the files that show cameras: a static site has none."""

GRAPHS = ("model.json", "network.onnx", "scale.onnx")
"""Files of a model that the browser counts with."""

KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
}


class PageFile(NamedTuple):
    """A file of the page."""

    path: Path
    kind: str
    """Its media type."""


def find_page() -> Path:
    """Return the folder of the page: of an installed package, or of a clone. Raises CrowdscaleError."""
    beside = Path(__file__).parent / "page"
    clone = Path(__file__).parents[3] / "web"
    for folder in (beside, clone):
        if (folder / "index.html").is_file():
            return folder
    raise CrowdscaleError("The page's files are missing", "", "Install the package again")


def page_files(folder: Path, dashboard: bool = False) -> dict[str, PageFile]:
    """Return the page's files by the path under which they are served.

    Args:
        folder: Of ``find_page``.
        dashboard: Whether there are cameras to show.
    """
    files = {
        path.relative_to(folder).as_posix(): PageFile(path, media_type(path))
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES and path.is_file() and "node_modules" not in path.parts
        if dashboard or not path.name.startswith(DASHBOARD)
    }
    shown = {"/dashboard": files["dashboard.html"]} if dashboard else {}
    return {"/": files["index.html"], **shown, **{f"/{name}": file for name, file in files.items()}}


def media_type(path: Path) -> str:
    """Return the media type of a file by its suffix."""
    guessed = KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return (
        f"{guessed}; charset=utf-8" if guessed.startswith("text/") and "charset" not in guessed else guessed
    )


def site_description(mode: str, models: Sequence[Mapping[str, Any]], **more: Any) -> str:
    """Return the JSON by which the page learns where counts are computed, and by which models.

    Args:
        mode: ``service`` or ``browser``.
        models: Descriptions; the first is the one that counts.
        more: Further values for the page.
    """
    sentences = {"measures": SENTENCES, "turned": TURNED, "unlike": UNLIKE}
    whole = {"version": __version__, "mode": mode, "models": models, "sentences": sentences, **more}
    return json.dumps(whole)
