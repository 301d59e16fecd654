"""The documents are well-formed reStructuredText.

A package index needs this to show README.txt.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from docutils.core import publish_doctree

pytestmark = pytest.mark.quick

PROJECT = Path(__file__).parents[2]


DOCUMENTS = [
    "README.txt",
    "HACKING.txt",
    "CHANGES.txt",
    *(str(path.relative_to(PROJECT)) for path in sorted((PROJECT / "docs").rglob("*.txt"))),
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_rendered_without_warnings(name: str) -> None:
    complaints = io.StringIO()
    publish_doctree(
        (PROJECT / name).read_text(),
        settings_overrides={"report_level": 1, "warning_stream": complaints},
    )
    assert complaints.getvalue() == ""
