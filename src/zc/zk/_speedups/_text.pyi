from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
N = TypeVar("N", bound=Fields)

class Fields:
    name: str
    properties: dict[str, Any]
    children: dict[str, Any]
    parent: Any
    raw: Any
    layout: Any
    marks: Any
    @property
    def data_may_wait(self) -> bool: ...
    def plain_data(self) -> str | None: ...

class Position:
    node_class: Any
    root: Any
    node: Any
    indent: str | None
    newest: Any
    outer: list[tuple[Any, str | None]]
    position: int
    number: int
    makes_plain_nodes: bool
    to_json: Callable[[Any], str]

class TreeText:
    def __init__(
        self,
        top_name: str,
        left_out: str | None,
        decode: Callable[[str], str | None],
        other: Callable[[Any], str],
    ) -> None: ...
    def add(self, nodes: Iterable[Any]) -> int: ...
    def whole(self) -> str: ...

class Found(Protocol):
    @property
    def depth(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def data(self) -> str | None: ...

def creation(node: Fields, top: Fields | None, path: str, acl: Any) -> tuple[Any, ...]: ...
def encode(properties: Mapping[str, Any]) -> str | None: ...
def highest_score(key: int, hashes: bytes) -> int: ...
def has_marks(node: Fields) -> bool: ...
def is_same(node: Fields, found: Iterable[Found]) -> bool: ...
def new_nodes(node: N, path: str, make: Callable[[str, Any, bool], T]) -> list[T | N]: ...
def path_below(node: Fields, top: Fields | None, path: str) -> str: ...
def read_lines(text: str, parser: Position) -> None: ...
def render_data(data: str, lead: str, decode: Callable[[str], str | None]) -> str | None: ...
