"""Imports point down only, from commands over the client to pure functions, between packages."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src"
LIBRARY = SOURCES / "zc" / "zk"

# From top to bottom. Each row is a package or a module of `zc.zk`; an import goes to the same row, or
# to one further down. No import is left out: type checkers' ones count like any other.
ROWS = [
    "__main__",
    "scripts",
    "cli",
    "browse",
    "graphvis",
    "formats",
    "lineserver",
    "monitor",
    "boundedserver",
    "testing",
    "client",
    "lowlevel",
    "operations",
    "registration",
    "watching",
    "session",
    "tree",
    "event",
    "propertylinks",
    "links",
    "codec",
    "garbage",
    "acl",
    "errors",
    "interfaces",
]

# Talk to no server, and are tested without one.
PURE = {"formats", "tree", "links", "propertylinks", "codec", "testing.engine"}

# What these may have besides: exceptions, constants, types, a word to the garbage collector.
COMMON = {"errors", "acl", "garbage"}
HARMLESS = ("zookeeper.errors", "zookeeper.constants", "zookeeper.types")


@functools.cache
def modules() -> dict[str, Path]:
    """The modules of the library and the binding by their full names.

    The package `zc.zk` is not among them: it names what users import, and imports on demand.
    """
    found = {}
    for folder in (LIBRARY, SOURCES / "zookeeper"):
        for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.pyx")]):
            parts = path.relative_to(SOURCES).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    del found["zc.zk"]
    return found


def imported_names(path: Path) -> Iterator[str]:
    """Full names of what a file imports, wherever in it."""
    if path.suffix == ".pyx":
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] == ["from"] and words[2:3] in (["import"], ["cimport"]):
                yield f"{words[1]}.{words[3].strip('(,')}".rstrip(".")
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(name: str) -> str | None:
    """The module that an imported name is, or is in; None for those of others."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name or None


@functools.cache
def graph() -> dict[str, set[str]]:
    """Which modules each module imports. Importing from a package is importing the package."""
    return {
        name: {
            target
            for imported in imported_names(path)
            if (target := module_of(imported)) is not None and target != name
        }
        for name, path in modules().items()
    }


def row_of(name: str) -> int:
    return ROWS.index(name.split(".")[2])


def library() -> list[str]:
    return [name for name in modules() if name.startswith("zc.zk.")]


def is_in(name: str, group: set[str]) -> bool:
    inner = name.removeprefix("zc.zk.")
    return any(inner == entry or inner.startswith(f"{entry}.") for entry in group)


def cycle_in(arrows: dict[str, set[str]]) -> list[str]:
    """The names on one circle of arrows, in order; empty when there is none."""
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
    """`from zc.zk import name` imports a public name through the package, which names all."""
    public = {
        name: sorted(wrong)
        for name in library()
        if (
            wrong := {
                imported
                for imported in imported_names(modules()[name])
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
        for imported in imported_names(modules()[name])
        if imported.partition(".")[0] in ("zookeeper", "socket", "asyncio", "threading")
        and not imported.startswith(HARMLESS)
    ] == []
