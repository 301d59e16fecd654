"""Imports point down only, from commands by the client to pure functions."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.quick

SOURCES = Path(__file__).parents[1] / "src"
LIBRARY = SOURCES / "zc" / "zk"

# From top to bottom. Each row is a package or a module of `zc.zk`; an import goes to the same row
# or to one further down. No import is left out: those for type checkers count like any other.
ROWS = [
    "__main__",
    "scripts",
    "cli",
    "browse",
    "graphvis",
    "rendering",
    "formats",
    "monitor",
    "lineserver",
    "boundedserver",
    "serving",
    "testing",
    "metrics",
    "aio",
    "client",
    "methods",
    "ensemble",
    "operations",
    "providers",
    "registration",
    "watching",
    "session",
    "tree",
    "event",
    "resolver",
    "propertylinks",
    "journey",
    "links",
    "codec",
    "quickjson",
    "_speedups",
    "garbage",
    "imports",
    "acl",
    "subjects",
    "naturalorder",
    "owners",
    "spans",
    "patterns",
    "logs",
    "errors",
    "interfaces",
]

# These modules talk to no server, and are tested without one.
PURE = {
    "formats",
    "tree",
    "resolver",
    "propertylinks",
    "journey",
    "links",
    "codec",
    "quickjson",
    "subjects",
    "naturalorder",
    "owners",
    "spans",
    "patterns",
    "_speedups",
    "browse.history",
    "browse.hostnames",
    "browse.pending",
    "browse.token",
    "graphvis.clusters",
    "graphvis.labels",
    "graphvis.survey",
    "registration.step",
    "session.backoff",
    "session.pace",
    "watching.packedstats",
    "watching.treeagenda",
    "watching.treechanges",
    "watching.treenodes",
    "testing.engine",
    "ensemble.reports",
    "ensemble.configuration",
    "rendering.guards",
    "rendering.settings",
    "rendering.values",
    "rendering.lines",
    "rendering.onestate",
    "rendering.faults",
    "rendering.source",
    "cli.runplan",
    "cli.nodeevents",
}

# Rows that these may import besides: exceptions, constants, types, collection of garbage, imports
# at first use.
COMMON = {"errors", "acl", "garbage", "imports", "logs"}
HARMLESS = (
    "zookeeper.errors",
    "zookeeper.constants",
    "zookeeper.types",
    "zookeeper.printing",
    "zookeeper.regularfiles",
)


@functools.cache
def sources() -> dict[str, list[Path]]:
    """Map modules of the library and the binding, by full name, to their files.

    A module written in Cython has its stub, its declarations and what it includes besides. The
    package `zc.zk` is left out: it names what users import, and imports on demand.
    """
    found: dict[str, list[Path]] = {}
    for folder in (LIBRARY, SOURCES / "zookeeper"):
        for path in sorted(folder.rglob("*.py*")) + sorted(folder.rglob("*.pxd")):
            if path.suffix in (".py", ".pyi", ".pyx", ".pxd"):
                parts = path.relative_to(SOURCES).with_suffix("").parts
                name = ".".join(parts).removesuffix(".__init__")
                found.setdefault(name, []).extend(with_included(path))
    del found["zc.zk"]
    return found


def with_included(path: Path) -> list[Path]:
    """Return a source file, and those that Cython includes in it."""
    files = [path]
    if path.suffix in (".pyx", ".pxd"):
        for name in re.findall(r'^include "(.+)"', path.read_text(), re.MULTILINE):
            files += with_included(path.parent / name)
    return files


# An import in Cython's language, whose grammar `ast` does not know: a whole statement, over several
# lines where it has parentheses.
CYTHON_FROM = re.compile(
    r"^[ \t]*from[ \t]+(\S+)[ \t]+c?import[ \t]+(\([^)]*\)|[^(\n]+)", re.MULTILINE
)
CYTHON_IMPORT = re.compile(r"^[ \t]*c?import[ \t]+([^\n]+)", re.MULTILINE)


def names_in_cython(text: str) -> Iterator[str]:
    text = re.sub(r"#.*", "", text)
    for module, names in CYTHON_FROM.findall(text):
        assert not module.startswith("."), "imports are absolute"
        for name in names.strip("()\n ").rstrip(",").split(","):
            yield f"{module}.{name.split()[0]}"
    for names in CYTHON_IMPORT.findall(text):
        yield from (name.split()[0] for name in names.split(","))


def names_in_python(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@functools.cache
def imported_names(module: str) -> frozenset[str]:
    """Return full names of all imports of a module, type checkers' ones too."""
    return frozenset(
        name
        for path in sources()[module]
        for name in (
            names_in_python(path.read_text())
            if path.suffix in (".py", ".pyi")
            else names_in_cython(path.read_text())
        )
    )


def module_of(name: str) -> str | None:
    """Return the module that a name is, or is in; None for others' modules.

    `from package import name` imports the module of that name where there is one, and else the
    package itself.
    """
    while name and name not in sources():
        name = name.rpartition(".")[0]
    return name or None


@functools.cache
def graph() -> dict[str, set[str]]:
    """Map each module to the modules that it imports."""
    return {
        name: {
            target
            for imported in imported_names(name)
            if (target := module_of(imported)) is not None and target != name
        }
        for name in sources()
    }


def row_of(name: str) -> int:
    return ROWS.index(name.split(".")[2])


def library() -> list[str]:
    return [name for name in sources() if name.startswith("zc.zk.")]


def is_in(name: str, group: set[str]) -> bool:
    inner = name.removeprefix("zc.zk.")
    return any(inner == entry or inner.startswith(f"{entry}.") for entry in group)


def cycle_in(arrows: dict[str, set[str]]) -> list[str]:
    """Return the names on one circle of arrows, in order; empty without any."""
    finished: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in finished:
            return []
        for target in sorted(arrows.get(name, ())):
            if circle := visit(target, [*way, name]):
                return circle
        finished.add(name)
        return []

    for name in arrows:
        if circle := visit(name, []):
            return circle
    return []


def test_every_package_has_a_row() -> None:
    assert {name.split(".")[2] for name in library()} == set(ROWS)


@pytest.mark.parametrize("name", library())
def test_a_module_imports_none_from_a_row_above(name: str) -> None:
    above = [
        target
        for target in graph()[name]
        if target.startswith("zc.zk.") and row_of(target) < row_of(name)
    ]
    assert above == []


def test_the_binding_imports_nothing_of_the_library() -> None:
    upwards = {
        name: targets
        for name, all_targets in graph().items()
        if name.split(".")[0] == "zookeeper"
        and (targets := {target for target in all_targets if target.startswith("zc.")})
    }
    assert upwards == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert cycle_in(graph()) == []


def test_a_circle_would_be_found() -> None:
    assert cycle_in({"a": {"b"}, "b": {"c", "d"}, "c": {"d"}, "d": {"b"}}) == ["b", "c", "d", "b"]


def test_the_library_itself_is_imported_by_none_of_its_modules() -> None:
    """Modules import from the definition of a name, and not through `zc.zk`."""
    public = {
        name: sorted(wrong)
        for name in library()
        if (
            wrong := {
                imported
                for imported in imported_names(name)
                if imported.startswith("zc.zk") and module_of(imported) is None
            }
        )
    }
    assert public == {}


@pytest.mark.parametrize("name", [name for name in library() if is_in(name, PURE)])
def test_a_pure_module_talks_to_no_server(name: str) -> None:
    within = [target for target in graph()[name] if target.startswith("zc.zk.")]
    assert [target for target in within if not is_in(target, PURE | COMMON)] == []
    assert [
        imported
        for imported in imported_names(name)
        if imported.partition(".")[0] in ("zookeeper", "socket", "asyncio", "threading")
        and not imported.startswith(HARMLESS)
    ] == []
