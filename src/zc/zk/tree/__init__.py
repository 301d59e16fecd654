"""Trees as text: read, written, and compared with what is in ZooKeeper.

The names are imported when they are asked for. A package that imports its modules while it is
imported itself lets two threads, each of which asks for one of the modules first, wait for one
another: Python then raises a `_DeadlockError` in one of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zc.zk.tree.model import ParseNode, TreeResolver
    from zc.zk.tree.parse import parse_tree
    from zc.zk.tree.render import render_tree

__all__ = ["ParseNode", "TreeResolver", "parse_tree", "render_tree"]

_MODULES = {
    "ParseNode": "model",
    "TreeResolver": "model",
    "parse_tree": "parse",
    "render_tree": "render",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
