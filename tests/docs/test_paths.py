"""The files that the documents for contributors name are there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.docs.pages import INTERNAL, PROJECT

pytestmark = pytest.mark.quick

DOCUMENTS = ["HACKING.txt", *(str(path.relative_to(PROJECT)) for path in sorted(INTERNAL))]

# Quoted words that look like the name of a file or, with a slash at the end, of a folder.
NAMED = re.compile(r"``([\w./-]+(?:\.(?:pyx|pyi|pyc|pxi|pxd|py|c|h|txt|toml|cfg|ini|sh|svg)|/))``")
PATH = re.compile(r"``((?:src|tests|docs|scripts|benchmarks|examples)/[\w./-]+)``")

# Files that tools make, and files of other programs.
NOT_OURS = re.compile(r"build/|dist/|/tmp/|\.venv|/|zkCli\.sh$")


def _files() -> set[str]:
    """Return each file and folder of the project, by its path below it.

    Folders end with a slash.
    """
    found = set()
    for top in ("src", "tests", "docs", "scripts", "benchmarks", "examples"):
        for folder, _, names in os.walk(PROJECT / top):
            here = Path(folder).relative_to(PROJECT)
            found |= {f"{here}/", *(f"{here}/{name}" for name in names)}
    return found | {path.name for path in PROJECT.iterdir() if path.is_file()}


FILES = _files()


def named(text: str) -> set[str]:
    """Return the files and folders that a document names."""
    found = {*NAMED.findall(text), *PATH.findall(text)}
    return {name for name in found if not NOT_OURS.match(name)}


def is_there(name: str) -> bool:
    """Return whether a path of the project is `name`, or ends with it."""
    return any(f"/{path}".endswith((f"/{name}", f"/{name}/")) for path in FILES)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_names_files_that_are_there(document: str) -> None:
    names = named((PROJECT / document).read_text())
    assert sorted(name for name in names if not is_there(name)) == []


def test_a_file_that_is_not_there_would_be_found() -> None:
    assert named("``src/zc/zk/riding.py``, ``cli/`` and ``tests/binding``") == {
        "src/zc/zk/riding.py",
        "cli/",
        "tests/binding",
    }
    assert is_there("client.py")
    assert is_there("tests/binding")
    assert not is_there("src/zc/zk/riding.py")
    assert not is_there("ient.py")


@pytest.mark.parametrize("folder", ["build", "binding", "sessions", "trees", "testing", "tools"])
def test_every_decision_is_in_the_index(folder: str) -> None:
    index = (PROJECT / "docs/decisions/index.txt").read_text()
    decisions = sorted((PROJECT / "docs/decisions" / folder).iterdir())
    assert decisions
    assert [
        path.name for path in decisions if f"decisions/{folder}/{path.name}``" not in index
    ] == []


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "SECURITY.md"])
def test_a_document_for_forges_names_files_and_commands_that_are_there(document: str) -> None:
    text = (PROJECT / document).read_text()
    names = re.findall(r"`([\w./-]+(?:\.(?:txt|md)|/[\w-]+))`", text)
    assert names
    assert [name for name in names if not (PROJECT / name).exists()] == []
    makefile = (PROJECT / "Makefile").read_text()
    targets = re.findall(r"`make ([a-z-]+)`", text)
    assert [target for target in targets if f"\n{target}:" not in makefile] == []
