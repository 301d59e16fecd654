from typing import Any

class Fields:
    name: str
    properties: dict[str, Any]
    children: dict[str, Any]
    parent: Any
    raw: Any
    layout: Any
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

def read_lines(text: str, parser: Position) -> None: ...
