"""How Sphinx builds these pages."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_extensions"))

with (HERE.parent / "pyproject.toml").open("rb") as stream:
    release = tomllib.load(stream)["project"]["version"]

project = "Fournaise"
author = "the Fournaise contributors"
project_copyright = author
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "numpydoc",
    "reference_pages",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_extensions"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # types stand in the docstrings, with shapes and units
autosummary_generate = False
numpydoc_show_class_members = False

html_theme = "alabaster"
html_theme_options = {
    "description": "Sentinel-1 processing as OGC web processes",
    "fixed_sidebar": True,
    "page_width": "1100px",
}
