"""Sphinx's settings: the pages that users read. `make docs` builds them into build/docs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import zc.zk

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.docstrings import as_restructured_text, names_of

project = "zc.zk"
author = "the contributors of zc.zk"
release = version = zc.zk.__version__

extensions = ["sphinx.ext.autodoc"]
source_suffix = {".txt": "restructuredtext"}
# What is for those who work on zc.zk; HACKING.txt lists it.
exclude_patterns = [
    "architecture.txt",
    "benchmarks.txt",
    "decisions",
    "dependencies.txt",
    "testing.txt",
    "where-to-find.txt",
]

autodoc_preserve_defaults = True
autodoc_inherit_docstrings = True
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
# Types in signatures have short names, which several modules have: such a one leads nowhere.
suppress_warnings = ["ref.python"]

html_theme = "furo"
html_title = f"zc.zk {release}"
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
# A page is the same whenever it is built.
html_last_updated_fmt = None


def _converted(
    app: object, what: str, name: str, documented: object, options: object, lines: list[str]
) -> None:
    lines[:] = as_restructured_text(lines, names_of(documented))


def setup(app: Any) -> None:
    """Have docstrings converted."""
    app.connect("autodoc-process-docstring", _converted)
