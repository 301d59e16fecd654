"""The lock has one release of every installed tool, for every Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.quick

tomllib = pytest.importorskip("tomllib")

HERE = Path(__file__).parent.parent
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
TOOLS = [
    Requirement(line)
    for lines in (
        *GROUPS.values(),
        *PROJECT["project"]["optional-dependencies"].values(),
        PROJECT["build-system"]["requires"],
    )
    for line in lines
    if isinstance(line, str)
]
PYTHONS = [
    match[1]
    for line in PROJECT["project"]["classifiers"]
    if (match := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line))
]


def environment_of(python):
    """Return what requirements ask of a Python."""
    return {"python_version": python, "python_full_version": f"{python}.9"}


def locked(python):
    """Return the releases that the lock has for a Python, by name."""
    environment = environment_of(python)
    releases: dict[str, list[str]] = {}
    for line in (HERE / "constraints.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        entry = Requirement(line)
        if entry.marker is None or entry.marker.evaluate(environment):
            [release] = entry.specifier
            assert release.operator == "==", line
            releases.setdefault(canonicalize_name(entry.name), []).append(release.version)
    return releases


@pytest.mark.parametrize("python", PYTHONS)
def test_every_tool_is_locked(python):
    releases = locked(python)
    for tool in TOOLS:
        if tool.marker is not None and not tool.marker.evaluate(environment_of(python)):
            continue
        [release] = releases[canonicalize_name(tool.name)]
        assert tool.specifier.contains(release), f"{tool}: {release} is locked; run make lock"


def test_every_installation_of_tools_uses_the_lock():
    makefile = (HERE / "Makefile").read_text()
    recipes = re.findall(r"^\t@?(.*pip install.*)$", makefile, re.MULTILINE)
    assert recipes
    for recipe in recipes:
        assert "$(LOCKED)" in recipe or recipe.startswith("build/latest/"), recipe
    tox = (HERE / "tox.ini").read_text()
    assert tox.count("PIP_CONSTRAINT = {tox_root}{/}constraints.txt") == tox.count("[testenv")


def test_names_of_extras_are_found_by_every_installer():
    """Tools normalise them (PEP 685), and those that do not yet find them all the same."""
    for name in PROJECT["project"]["optional-dependencies"]:
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", name), name
