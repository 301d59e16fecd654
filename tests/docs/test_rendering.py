"""The documents that Sphinx does not build are well-formed reStructuredText.

A package index needs this to show README.txt.
"""

from __future__ import annotations

import io

import pytest
from docutils.core import publish_doctree

from tests.docs.pages import INTERNAL, PROJECT

pytestmark = pytest.mark.quick

NO_PROSE = {"constraints.txt", "LICENSE.txt"}

DOCUMENTS = sorted(
    str(path.relative_to(PROJECT))
    for path in [*PROJECT.glob("*.txt"), *INTERNAL]
    if path.name not in NO_PROSE
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_rendered_without_warnings(name: str) -> None:
    complaints = io.StringIO()
    publish_doctree(
        (PROJECT / name).read_text(),
        settings_overrides={"report_level": 1, "warning_stream": complaints},
    )
    assert complaints.getvalue() == ""


def test_the_documents_are_there() -> None:
    assert {"README.txt", "CHANGES.txt", "HACKING.txt", "docs/architecture.txt"} <= set(DOCUMENTS)
