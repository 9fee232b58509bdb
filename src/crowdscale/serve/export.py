"""The page as a static site that counts in the browser: any web server can hand it out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO

from crowdscale import __version__
from crowdscale.errors import OptionError
from crowdscale.files.writing import write_atomic
from crowdscale.models.description import ModelConfig, read_config
from crowdscale.models.finding import find_model
from crowdscale.serve.page import GRAPHS, find_page, page_files, site_description
from crowdscale.serve.runtime import LICENCE, RUNTIME_FILES, find_runtime
from crowdscale.trust.audit.report_page import report_design

__all__ = ["export_site"]

MARK = "site.json"
"""A folder that holds files but not this one is not ours to write into."""

RUNTIME = "runtime/ort.js"
"""The runtime's module, under a suffix that every web server serves as JavaScript."""


def export_site(folder: Path, model: str = "lite", runtime: Path | None = None) -> int:
    """Write the page, a model and the runtime into a folder; return their size in bytes.

    Args:
        folder: New, empty, or a site that was written before.
        model: A bundled model's name, a model folder or file.
        runtime: A folder of ONNX Runtime Web; None fetches it by npm.

    Raises:
        OptionError: The folder holds something else, or the model is of a kind that the page does not count with.
        ModelError: The model is missing or damaged.
        CrowdscaleError: The runtime cannot be fetched.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MARK).is_file())):
        raise OptionError(f"{folder} holds other files", "", "Name a new folder")
    source = find_model(model)
    config = read_config(source)
    _check(config)
    files = _page(config.name) | _model(source, config.name) | _runtime(find_runtime(runtime))
    files["report.json"] = json.dumps(report_design()).encode()
    files["files.json"] = json.dumps(["./", *sorted(files), "files.json"]).encode()
    for name, content in files.items():
        write_atomic(folder / name, lambda stream, content=content: _put(stream, content))  # type: ignore[misc]
    return sum(map(len, files.values()))


def _check(config: ModelConfig) -> None:
    if not config.codec.counts_blocks:
        raise OptionError(f"The page counts with hybrid models, and {config.name} is a {config.method} model")
    if config.precision != "float32":
        raise OptionError(
            f"{config.name} computes in {config.precision}, which browsers round in another way",
            "",
            "Use lite or nano",
        )


def _page(model: str) -> dict[str, bytes]:
    files = {
        path[1:]: file.path.read_bytes() for path, file in page_files(find_page()).items() if path != "/"
    }
    files["offline.js"] = files["offline.js"].replace(b"VERSION", f"{__version__}-{model}".encode())
    return files


def _model(source: Path, name: str) -> dict[str, bytes]:
    config = json.loads((source / "model.json").read_text(encoding="utf-8"))
    described = [{"name": name, "method": config["method"], "licence": config.get("licence", "")}]
    files = {f"graphs/{name}/{part}": (source / part).read_bytes() for part in GRAPHS}
    text = site_description("browser", described, runtime=RUNTIME)
    return {**files, MARK: text.encode()}


def _runtime(folder: Path) -> dict[str, bytes]:
    module, graph = ((folder / name).read_bytes() for name in RUNTIME_FILES)
    return {RUNTIME: module, f"runtime/{RUNTIME_FILES[1]}": graph, "runtime/LICENSE.txt": LICENCE.encode()}


def _put(stream: IO[bytes], content: bytes) -> None:
    stream.write(content)
