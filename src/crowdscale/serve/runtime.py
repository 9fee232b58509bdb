"""ONNX Runtime Web, which runs models in a browser: fetched by npm once, checked, and kept in the cache."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from crowdscale.errors import CrowdscaleError, OptionError
from crowdscale.files.writing import write_atomic
from crowdscale.models.package import cache_folder

__all__ = ["LICENCE", "RUNTIME_FILES", "cached_runtime", "find_runtime"]

PACKAGE = "onnxruntime-web"
VERSION = "1.30.0"
INTEGRITY = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""sha512 of the package's archive in base64, as npm states it."""

RUNTIME_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
"""What the page's worker loads: the smallest build without WebGPU."""

MINUTES = 5
"""After which npm is given up."""

LICENCE = """ONNX Runtime Web is distributed under the MIT License.

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def find_runtime(folder: Path | None = None) -> Path:
    """Return the folder of the runtime's files: the one named, the cached one, or one that npm fetches.

    Args:
        folder: A folder of the npm package, or its ``dist``.

    Raises:
        OptionError: The folder lacks a file.
        CrowdscaleError: npm is missing or fails, or gives another archive.
    """
    if folder is not None:
        for place in (folder, folder / "dist"):
            if _is_whole(place):
                return place
        raise OptionError(
            f"{folder} lacks {' or '.join(RUNTIME_FILES)}", "", f"Run: npm install {PACKAGE}@{VERSION}"
        )
    if cached_runtime() is None:
        _unpack(_fetch(), _cache())
    return _cache()


def cached_runtime() -> Path | None:
    """Return the folder of a runtime that was fetched before; None without one."""
    return _cache() if _is_whole(_cache()) else None


def _cache() -> Path:
    return cache_folder() / f"{PACKAGE}-{VERSION}"


def _is_whole(folder: Path) -> bool:
    return all((folder / name).is_file() for name in RUNTIME_FILES)


def _fetch() -> bytes:
    """Return the package's archive."""
    npm = shutil.which("npm")
    if npm is None:
        raise CrowdscaleError(
            f"A static site needs {PACKAGE} {VERSION}, and npm is not installed",
            "",
            "Install npm, or name a folder that holds it with --runtime",
        )
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", folder, "--silent"]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=60 * MINUTES)
        except (subprocess.SubprocessError, OSError) as error:
            lines = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
            reason = lines[-1] if lines else "no reason given"
            raise CrowdscaleError(
                f"npm could not fetch {PACKAGE} {VERSION} ({reason})",
                "",
                "Check the network, or use --runtime",
            ) from error
        archive = next(Path(folder).glob("*.tgz")).read_bytes()
    if base64.b64encode(hashlib.sha512(archive).digest()).decode() != INTEGRITY:
        raise CrowdscaleError(
            f"The archive of {PACKAGE} {VERSION} is not the one expected", "", "Use --runtime"
        )
    return archive


def _unpack(archive: bytes, folder: Path) -> None:
    """Write the files that are needed; names inside the archive are never used as paths."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as pack:
        for name in RUNTIME_FILES:
            member = pack.extractfile(f"package/dist/{name}")
            if member is None:
                raise CrowdscaleError(f"The archive of {PACKAGE} {VERSION} lacks {name}", "", "Use --runtime")
            content = member.read()
            write_atomic(folder / name, lambda stream, content=content: stream.write(content))  # type: ignore[misc]
