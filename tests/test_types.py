"""Each type that the library shares is defined once, in `zookeeper.types`."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[1]
TYPES = ROOT / "src" / "zookeeper" / "types.py"

# The parts of a type in the definition of an alias.
GENERIC = {
    "Annotated",
    "Callable",
    "Iterable",
    "Literal",
    "Mapping",
    "Optional",
    "Sequence",
    "Union",
}
BUILT_IN = {"dict", "frozenset", "list", "set", "tuple", "type"}


def files() -> list[Path]:
    return [
        path
        for folder in ("src", "benchmarks", "examples")
        for path in sorted([*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.pyi")])
    ]


def is_type(value: ast.expr | None) -> bool:
    """Whether an expression reads like a type: `dict[str, int]`, `str | None`."""
    if isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name):
        return value.value.id in GENERIC | BUILT_IN
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        return any(
            is_type(side) or (isinstance(side, ast.Constant) and side.value is None)
            for side in (value.left, value.right)
        )
    return False


def aliases(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module defines as aliases or as TypedDicts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            if any(isinstance(base, ast.Name) and base.id == "TypedDict" for base in node.bases):
                yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if ast.unparse(node.annotation).endswith("TypeAlias"):
                yield node.target.id
        elif isinstance(node, ast.Assign) and is_type(node.value):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def defined(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module defines at its top by class or assignment."""
    yield from aliases(tree)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name


def shared() -> set[str]:
    return set(aliases(ast.parse(TYPES.read_text())))


def test_a_second_definition_would_be_found() -> None:
    source = """
Stat = dict[str, int]
Progress = Callable[[int, "int | None"], object]
Data: TypeAlias = "str | None"
Text = str | None
class Entry(TypedDict): ...
limit = mask | 3
first = names[0]
"""
    assert set(aliases(ast.parse(source))) == {"Stat", "Progress", "Data", "Text", "Entry"}


def test_the_types_of_the_border_are_shared() -> None:
    assert shared() >= {"Acl", "AclEntry", "Data", "Operation", "Progress", "Stat", "Watcher"}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_defines_a_shared_type_again(path: Path) -> None:
    again = shared().intersection(defined(ast.parse(path.read_text())))
    assert again == (shared() if path == TYPES else set())


def test_no_two_modules_of_the_library_define_a_type_of_the_same_name() -> None:
    places = defaultdict(set)
    for path in files():
        if not path.is_relative_to(ROOT / "src"):
            continue
        for name in aliases(ast.parse(path.read_text())):
            places[name].add(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_a_client_starts_without_them_and_a_program_may_import_them() -> None:
    """They are for annotations, so that no start-up pays for them."""
    program = """
import sys
import zc.zk
zc.zk.ZooKeeper
print([name for name in ("zookeeper.types", "zookeeper.binding") if name in sys.modules])
from zookeeper.binding import Binding
from zookeeper.types import Stat
print(sorted(Stat.__annotations__)[:2], Binding.__name__)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.stdout.splitlines() == ["[]", "['aversion', 'ctime'] Binding"], said.stderr


def mixed(tree: ast.Module) -> Iterator[str]:
    """Yield the classes that are named tuples, or TypedDicts, and have another base besides."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and len(node.bases) > 1:
            bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
            if bases & {"NamedTuple", "TypedDict"}:
                yield node.name


def test_no_named_tuple_has_another_base_as_3_10_refuses_that() -> None:
    example = "class A(NamedTuple, Generic[T]): pass\nclass B(NamedTuple): pass"
    assert list(mixed(ast.parse(example))) == ["A"]
    assert [
        f"{path.name}: {name}" for path in files() for name in mixed(ast.parse(path.read_text()))
    ] == []
