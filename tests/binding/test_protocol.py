"""The functions of each binding are those of the Protocol.

Their parameters are the same.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

from zookeeper.binding import Binding

pytestmark = pytest.mark.quick

NAMES = [name for name in vars(Binding) if not name.startswith("_")]

# Functions of the process, and of no handle.
OF_THE_PROCESS = {"set_debug_level", "deterministic_conn_order", "write_count"}

Parameter = tuple[str, object, object]


def parameters(function: object) -> list[Parameter]:
    """Return names, kinds and defaults. Compiled functions have no annotations."""
    assert callable(function)
    found = inspect.signature(function).parameters.values()
    return [(one.name, one.kind, one.default) for one in found if one.name != "self"]


@pytest.mark.parametrize("name", NAMES)
def test_a_function_has_the_parameters_of_the_protocol(zookeeper: ModuleType, name: str) -> None:
    assert parameters(getattr(zookeeper, name)) == parameters(getattr(Binding, name))


def test_a_difference_would_be_found() -> None:
    class Different:
        def get_children(self, h, path, watcher=None, *, timeout=0.0): ...

    assert parameters(Different.get_children) != parameters(Binding.get_children)


def test_the_protocol_has_all_functions_of_the_extension() -> None:
    extension = importlib.import_module("zookeeper._client")
    functions = {name for name in extension.__all__ if name[0].islower()}
    assert functions - OF_THE_PROCESS == set(NAMES)


def test_the_stub_has_all_functions_of_the_protocol() -> None:
    binding = importlib.import_module("zookeeper")
    stub = ast.parse(Path(str(binding.__file__)).with_suffix(".pyi").read_text())
    taken = {
        ast.unparse(node)
        for node in stub.body
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("_binding.")
    }
    assert taken == {f"{name} = _binding.{name}" for name in NAMES}


def test_an_emulation_has_nothing_but_the_functions_of_the_protocol() -> None:
    testing = importlib.import_module("zc.zk.testing")
    assert set(testing.Emulation().functions) == {*NAMES, "async"}
