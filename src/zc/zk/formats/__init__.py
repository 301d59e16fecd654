"""Trees as text, JSON and YAML: the same tree in each, written and read.

In JSON and YAML a tree is one object, or mapping, with a member for each node under its path,
parents before their children. `zookeeper_export` writes a line for each node:

    {
      "/cms": {"main ->": "/databases/main", "threads": 3, "type": "z4m cms"},
      "/cms/providers": {},
      "/motd": "Closed on Mondays",
      "/by others": {"x": 1.1, "b": "y"},
      "= /by others": {"layout": "like '{\"x\": 1.10, \"b\": _}'"},
      "/null": null,
      "/picture": {"base64": "//79"}
    }

A node is an object of its properties, with links under their whole keys; or a string, its data as
they are, where that is no JSON object; or null, for null data; or an object with the one member
`base64`, for data that are not text, which UTF-8 is. Everything can be written in all of these
ways: a node whose one property is called base64 is written as a string.

Behind a node there may be a member under `= ` and its path, for what its properties do not tell:
its marks, which are its ACL and its kind, and its layout.

      "= /cms": {"acl": ["world:anyone:r"], "ttl": "90s"},
      "= /cms/providers": {"container": true}

The `layout` says how a JSON object is laid out that is not as the library writes it, in the words
of `zc.zk.tree.layout`. Without it the properties are the same, and the bytes are not.
"""

from __future__ import annotations

from collections.abc import Iterator

from zc.zk.errors import TreeSyntaxError
from zc.zk.formats import jsontext, yamltext
from zc.zk.formats.values import Builder, members
from zc.zk.formats.yamltext import FormatUnavailable
from zc.zk.tree.model import ParseNode
from zc.zk.tree.parse import parse_tree
from zc.zk.tree.render import render_tree

__all__ = ["JSON", "TEXT", "YAML", "FormatUnavailable", "parse", "render"]

TEXT, JSON, YAML = "text", "json", "yaml"


def render(root: ParseNode, format: str) -> Iterator[str]:
    """Yield a tree's nodes in the format 'text', 'json' or 'yaml'."""
    if format == TEXT:
        return render_tree(root)
    return jsontext.render(members(root)) if format == JSON else yamltext.render(members(root))


def parse(text: str, format: str) -> ParseNode:
    """Parse text in the format 'text', 'json' or 'yaml' into a tree.

    Like `parse_tree`, it raises TreeSyntaxError, a ValueError, for what it cannot read, and so for
    a node whose parent is not there.
    """
    if format == TEXT:
        return parse_tree(text)
    text = text.removeprefix("\ufeff")
    read = jsontext.read if format == JSON else yamltext.read
    builder = Builder()
    for lineno, path, value in read(text):
        try:
            builder.add(path, value)
        except ValueError as fault:
            raise TreeSyntaxError(lineno, text.split("\n")[lineno - 1], str(fault)) from None
    return builder.root
