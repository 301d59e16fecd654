"""Trees as text: read, written, and compared with what is in ZooKeeper."""

from zc.zk.tree.model import ParseNode, TreeResolver
from zc.zk.tree.parse import parse_tree
from zc.zk.tree.render import render, render_tree

__all__ = ["ParseNode", "TreeResolver", "parse_tree", "render", "render_tree"]
