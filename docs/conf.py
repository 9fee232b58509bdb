"""The site: ``pip install -c constraints.txt -e ".[docs]"``, then ``sphinx-build -W docs site``."""

from crowdscale import __version__

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
suppress_warnings = ["myst.xref_missing", "ref.python"]  # links to files of the repository outside docs/
