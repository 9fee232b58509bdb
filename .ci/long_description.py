"""Makes the description that a package index shows: the README, its links and pictures absolute.

Hatch runs this for each build (``[tool.hatch.metadata.hooks.custom]`` in ``pyproject.toml``). Links lead to the files of the
release at the address ``Repository`` of ``[project.urls]``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

sys.path.insert(0, str(Path(__file__).parent))
from links import absolute


class LongDescription(MetadataHookInterface):
    """Sets the field ``readme`` of the project."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill the dynamic field."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        repository = metadata.get("urls", {}).get("Repository", "")
        made = absolute(text, repository, metadata["version"])
        metadata["readme"] = {"content-type": "text/markdown", "text": made}
