"""README.txt as an index shows it.

Pictures and pages of the checkout have whole addresses there.
"""

from __future__ import annotations

import re
from pathlib import Path

# A picture, and the target of a link, which reStructuredText puts into angle brackets or after the
# name of a target.
_PICTURE = re.compile(r"^(\.\. (?:\|[^|]+\| )?(?:image|figure):: +)(?!\w+:)(\S+)$", re.MULTILINE)
_LINK = re.compile(r"(<)(?!\w+:)((?:docs|examples)/[^>\s]*|[\w.]+\.txt)(?=>`)")
_TARGET = re.compile(r"^(\.\. _[^:]+: +)(?!\w+:)((?:docs|examples)/\S*|[\w.]+\.txt)$", re.MULTILINE)


def project_field(pyproject: str, name: str) -> str:
    """Return a text that stands in pyproject.toml, such as the version, in a line of its own."""
    found = re.search(rf'^{name} = "([^"]+)"$', pyproject, re.MULTILINE)
    if found is None:
        raise LookupError(f"pyproject.toml has no line with {name}")
    return found[1]


def for_index(text: str, repository: str, release: str) -> str:
    """Return a text of the checkout with addresses in a release of the repository."""
    text = _PICTURE.sub(rf"\g<1>{repository}/raw/{release}/\g<2>", text)
    for links in (_LINK, _TARGET):
        text = links.sub(rf"\g<1>{repository}/blob/{release}/\g<2>", text)
    return text


def readme_for_index(checkout: Path) -> str:
    """Return README.txt of a checkout, for an index."""
    pyproject = (checkout / "pyproject.toml").read_text()
    release, repository = (project_field(pyproject, name) for name in ("version", "Source"))
    return for_index((checkout / "README.txt").read_text(encoding="utf-8"), repository, release)
