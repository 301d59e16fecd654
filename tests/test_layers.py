"""Imports within the library point one way: from commands over the client to pure functions."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[1] / "src" / "zc" / "zk"

# From top to bottom. A layer may import its own modules and those of the layers below it; what ends
# with a dot is all that begins so. Packages themselves only name what is in them.
LAYERS = [
    {"__main__", "scripts."},
    {"browse.", "monitor", "lineserver", "testing.pytest_plugin"},
    {"graphvis.", "formats.", "testing.suites", "testing.server", "testing.snapshot"},
    {"testing.dispatch"},
    {"testing.wire.", "testing.emulation.", "testing.waiting"},
    {"testing.engine.", "testing.clock"},
    {"client"},
    {"treework", "exporting", "walking", "lowlevel", "registration", "children", "properties"},
    {"bulk", "live", "ephemeral", "root"},
    {"writing"},
    {"reading", "ephemeralnode", "riding"},
    {"watches", "fetching", "nodes"},
    {"session", "lifecycle", "connection", "reachability", "keeper", "upkeep"},
    {"tree.", "interfaces"},
    {"links", "propertylinks", "nodedata", "address", "event", "acl", "boundedserver"},
    {"errors", "garbage"},
]

PURE = {"formats.", "tree.", "links", "propertylinks", "nodedata", "testing.engine."}

# What these may have besides: exceptions, constants, a word to the garbage collector.
COMMON = {"errors", "acl", "garbage"}
HARMLESS = ("zookeeper.errors", "zookeeper.constants")


@functools.cache
def modules() -> dict[str, Path]:
    """The library's modules by name, within `zc.zk`, without packages' own."""
    return {
        ".".join(path.relative_to(LIBRARY).with_suffix("").parts): path
        for path in sorted(LIBRARY.rglob("*.py"))
        if path.name != "__init__.py"
    }


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, those for type checkers apart."""
    nodes: list[ast.AST] = [ast.parse(path.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        nodes += ast.iter_child_nodes(node)


def is_in(name: str, group: set[str]) -> bool:
    return any(name == entry or (entry[-1] == "." and name.startswith(entry)) for entry in group)


def layer_of(name: str) -> int:
    layers = [number for number, group in enumerate(LAYERS) if is_in(name, group)]
    assert len(layers) == 1, f"{name} needs a place in LAYERS"
    return layers[0]


def imported_modules(path: Path) -> set[str]:
    """The library's own modules, within `zc.zk`, that a file imports."""
    known = modules()
    found = set()
    for name in imports(path):
        inner = name.removeprefix("zc.zk.")
        candidates = (inner, inner.rpartition(".")[0])
        found.update(candidate for candidate in candidates if candidate in known)
    return found


@pytest.mark.parametrize("name", modules())
def test_a_module_imports_none_from_above(name: str) -> None:
    above = [
        other for other in imported_modules(modules()[name]) if layer_of(other) < layer_of(name)
    ]
    assert above == []


@pytest.mark.parametrize("name", [name for name in modules() if is_in(name, PURE)])
def test_a_pure_module_talks_to_no_server(name: str) -> None:
    path = modules()[name]
    assert [other for other in imported_modules(path) if not is_in(other, PURE | COMMON)] == []
    assert [
        module
        for module in imports(path)
        if module.partition(".")[0] in ("zookeeper", "socket", "asyncio", "threading")
        and not module.startswith(HARMLESS)
    ] == []
