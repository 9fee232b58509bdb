"""The site: ``pip install -c constraints.txt -e ".[docs]"``, then ``sphinx-build -W docs site``."""

import os
import sys
import tomllib
from pathlib import Path

from crowdscale import __version__

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / ".ci"))
from links import absolute  # noqa: E402

project = "crowdscale"
author = "The crowdscale founders"
copyright = "2026, the crowdscale founders"
release = version = __version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["pictures/README.md"]
nb_execution_mode = "off"  # a test runs the notebooks
html_theme = "furo"
html_title = f"crowdscale {version}"
myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath", "colon_fence"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_google_docstring = True
suppress_warnings = ["ref.python"]
linkcheck_anchors = True
linkcheck_timeout = 5


def lead_out(app, name, source):
    """Make links to files of the repository outside ``docs/`` absolute, or plain words while it has no address."""
    folder = Path(app.srcdir, name).parent
    docs = Path(app.srcdir)

    def path_of(address):
        path = Path(os.path.normpath(folder / address.split("#")[0]))
        return None if path.is_relative_to(docs) else path.relative_to(ROOT).as_posix()

    with (ROOT / "pyproject.toml").open("rb") as file:
        repository = tomllib.load(file)["project"]["urls"].get("Repository", "")
    source[0] = absolute(source[0], repository, version, path_of)


def setup(app):
    """Connect the links that lead out."""
    app.connect("source-read", lead_out)
