"""Tree text into a model. `zc.zk.tree.syntax` describes the lines.

Lines end with a line feed; a carriage return before it is dropped. Blank lines and lines that begin
with `#` are skipped. A line that is indented deeper than a node belongs to it; the depth, in spaces
or tabs, is free, but all lines of one node begin with the same white space.
"""

from __future__ import annotations

from typing import Any, TypeVar, overload

from zc.zk import _speedups, codec
from zc.zk.errors import TreeSyntaxError, excerpt
from zc.zk.garbage import collected_later
from zc.zk.links import LINK, PROPERTY_LINK, is_path, split_property_link
from zc.zk.tree import binary
from zc.zk.tree.blocks import is_opening, read_block
from zc.zk.tree.layout import FIRST_WORD, is_layout, read_layout
from zc.zk.tree.literals import read_literal, split_quoted
from zc.zk.tree.marks import marks_of, merged
from zc.zk.tree.model import Node, ParseNode, RawData
from zc.zk.tree.syntax import MARK, OLD_LINK, OPERATOR, QUOTES, TYPE_COLON, is_node_name

T = TypeVar("T")


@overload
def parse_tree(text: str) -> ParseNode: ...


@overload
def parse_tree(text: str, node_class: type[Node]) -> Node: ...


def parse_tree(text: str, node_class: type[ParseNode] = ParseNode) -> ParseNode:
    """Parse `text` into nodes of `node_class`, a `ParseNode`.

    Returns a root without a name, with the top-level nodes of the text as its children. Raises
    `TreeSyntaxError`, a ValueError, with the number of the line, the line and the reason.
    """
    if not isinstance(text, str):
        raise TypeError(f"tree text must be str, not {type(text).__name__}")
    return _read(text.removeprefix("\ufeff"), node_class)


@collected_later
def _read(text: str, node_class: type[ParseNode]) -> ParseNode:
    parser = _Parser(text, node_class)
    try:
        while parser.position < len(text):
            _speedups.read_lines(text, parser)
            parser.read_next(text)
    except ValueError as fault:
        line = parser.next_line(text).rstrip("\r")
        raise TreeSyntaxError(parser.number, line, str(fault)) from None
    return parser.root


class _Parser(_speedups.Position):
    """The state between lines: the nodes that the next line may belong to.

    `node` is the one that lines indented by `indent` belong to, and `outer` holds the pairs
    (node, indent) around it. `newest` is the node of the line before, which deeper lines belong to,
    or None if that was a property. `position` and `number` are those of the next line, and `end` is
    the end of what is read.
    """

    root: ParseNode
    node: ParseNode

    def __init__(self, text: str, node_class: type[ParseNode]) -> None:
        self.text = text
        self.node_class = node_class
        self.makes_plain_nodes = node_class is ParseNode
        self.to_json = codec.to_json
        self.root = node_class("")
        self.node = self.root
        self.indent = None
        self.outer = []
        self.newest = self.root
        self.position = self.end = 0
        self.number = 1

    def read_block(self, opening: str) -> str:
        """Return the value of a block, whose lines come next."""
        start = self.position + len(self.next_line(self.text)) + 1
        value, self.end = read_block(opening, self.text, start)
        return value

    def next_line(self, text: str) -> str:
        """Return the next line, without its line feed."""
        # Other characters that Python takes for ends of lines stay inside their lines.
        end = text.find("\n", self.position)
        return text[self.position :] if end < 0 else text[self.position : end]

    def read_next(self, text: str) -> None:
        """Take in the next line, if there is one."""
        if self.position < len(text):
            line = self.next_line(text)
            self.end = self.position + len(line)
            self.read(line)
            self.number += 1 + text.count("\n", self.position, self.end)
            self.position = self.end + 1

    def read(self, line: str) -> None:
        """Take in one line; raises ValueError with the reason."""
        content = line.strip()
        if not content or content[0] == "#":
            return
        indent = line[: len(line) - len(line.lstrip())]
        if indent.strip(" \t"):
            raise ValueError("bad indentation: neither spaces nor tabs")
        self.find_owner(indent)
        if content[0] == "/":
            self.newest = self.read_node(content[1:])
        else:
            self.newest = None
            self.read_property(content)

    def read_value(self, text: str) -> Any:
        """Return the value of the text behind an equals sign, and perhaps of lines below."""
        try:
            if is_opening(text):
                return self.read_block(text)
            return read_literal(text.strip())
        except ValueError as fault:
            raise ValueError(f"bad expression: {fault}") from None

    def read_binary(self, text: str) -> str:
        """Return data of the text behind the word `base64`."""
        content = text.lstrip()
        return binary.decoded(self.read_block(content) if is_opening(content) else content)

    def find_owner(self, indent: str) -> None:
        """Make `node` the one that a line indented by `indent` belongs to."""
        if indent == self.indent:
            return
        if self.indent is None:
            self.indent = indent
        elif len(indent) > len(self.indent) and indent.startswith(self.indent):
            if self.newest is None:
                raise ValueError("bad indentation: nothing can be under a property")
            self.outer.append((self.node, self.indent))
            self.node, self.indent = self.newest, indent
        else:
            while self.outer and self.indent != indent:
                self.node, self.indent = self.outer.pop()
            if self.indent != indent:
                raise ValueError("bad indentation: like no line above that it could belong with")

    def read_node(self, content: str) -> ParseNode:
        if content.startswith(QUOTES):
            name, rest = split_quoted(content)
            rest = rest.lstrip()
            node_type = rest[1:].lstrip() if rest else None
            if rest and rest[0] != ":":
                raise ValueError("unrecognised line: text behind the quoted name")
        elif colon := TYPE_COLON.search(content):
            name, node_type = content[: colon.start()].rstrip(), content[colon.end() :].lstrip()
        else:
            name, node_type = content, None
        if not is_node_name(name):
            raise ValueError(f"bad node name {excerpt(name)}")
        if node_type == "":
            raise ValueError("unrecognised line: no type behind the colon")
        return self.add_node(name, node_type)

    def add_node(self, name: str, node_type: str | None) -> ParseNode:
        parent = self.node
        if name in parent.children:
            raise ValueError("duplicate node")
        node: ParseNode = self.node_class(name)
        if node_type is not None:
            node.properties["type"] = node_type
        parent.add(node)
        return node

    def read_property(self, content: str) -> None:
        if content.startswith(QUOTES):
            name: str | None
            name, rest = split_quoted(content)
            operator = OPERATOR.match(rest := rest.lstrip())
        else:
            rest = content
            operator = OPERATOR.search(rest)
            name = rest[: operator.start()].rstrip() or None if operator else None
        if operator is None:
            raise ValueError("unrecognised line: neither a node, nor a property, nor a link")
        sign, target = operator.group(), rest[operator.end() :].lstrip()
        if sign == "=":
            if name is not None:
                self.set_property(name, self.read_value(target))
            elif mark := MARK.fullmatch(target):
                self.set_mark(mark[1], mark[2])
            elif (word := FIRST_WORD.match(target)) and word.group() == binary.BASE64:
                self.set_data(self.read_binary(target[word.end() :]))
            elif is_layout(target):
                self.set_layout(target)
            else:
                self.set_data(self.read_value(target))
        elif name is None:
            raise ValueError("bad link: no name")
        elif sign == "->":
            self.set_property(name + LINK, _link_target(target))
        else:
            if OLD_LINK.match(target):
                # As release 2.1 exported it, like any property: `tea => = u'/prices'`.
                target = self.read_value(target[1:])
            self.set_property(name + PROPERTY_LINK, _property_link_target(target))

    def owner(self) -> ParseNode:
        """Return the node that a line without a node is about."""
        if self.node is self.root:
            raise ValueError("property above any node")
        return self.node

    def set_property(self, key: str, value: Any) -> None:
        node = self.node
        properties = node.properties
        if node is self.root or node.raw is not None or key in properties:
            self.owner()
            if node.raw is not None:
                raise ValueError("duplicate property: the node's data are given as a whole already")
            raise ValueError(f"duplicate property {excerpt(key)}")
        properties[key] = value

    def set_layout(self, text: str) -> None:
        node = self.owner()
        if node.raw is not None:
            raise ValueError("duplicate layout: the node's data are given as a whole already")
        if node.layout is not None:
            raise ValueError("duplicate layout: the node has one already")
        node.layout = read_layout(text)

    def set_mark(self, word: str, value: str) -> None:
        node = self.owner()
        node.marks = merged(node.marks, marks_of(word, value.strip()))

    def set_data(self, value: Any) -> None:
        node = self.owner()
        if node.raw is not None or node.properties:
            raise ValueError("duplicate property: data as a whole, and the node has properties")
        if node.layout is not None:
            raise ValueError("duplicate property: data as a whole, and the node has a layout")
        if value is not None and not isinstance(value, str):
            raise ValueError("bad expression: a node's data are a string or None")
        if value is not None and not codec.is_storable(value):
            raise ValueError("bad expression: a lone surrogate, which UTF-8 cannot hold")
        node.raw = RawData(value)
        node.properties.update(codec.decode(value))


def _link_target(text: str) -> str:
    if text.startswith(QUOTES):
        path, rest = split_quoted(text)
        if rest:
            raise ValueError("bad link: text behind the quoted path")
    else:
        path = text
        if len(path.split()) > 1:
            raise ValueError("bad link: a path with spaces must be quoted")
    if not is_path(path):
        raise ValueError("bad link: no path")
    return path


def _property_link_target(text: Any) -> str:
    try:
        split_property_link(text, "")
    except ValueError as fault:
        raise ValueError(f"bad link: {fault}") from None
    return " ".join(text.split())
