"""Trees as text, JSON and YAML: the same tree in each, written and read.

In JSON and YAML a tree is one object, or mapping, with a member for each node under its path,
parents before their children. `zookeeper_export` writes a line for each node:

    {
      "/cms": {"main ->": "/databases/main", "threads": 3, "type": "z4m cms"},
      "/cms/providers": {},
      "/motd": "Closed on Mondays",
      "/null": null,
      "/picture": {"base64": "//79"}
    }

A node is an object of its properties, with links under their whole keys; or a string, its data as
they are, where that is no JSON object as the library writes it; or null, for null data; or an
object with the one member `base64`, for data that are not text, which UTF-8 is. Everything can be
written in all of these ways: a node whose one property is called base64 is written as a string.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from zc.zk import nodedata
from zc.zk.errors import Error, TreeSyntaxError, excerpt
from zc.zk.tree.model import ParseNode, RawData
from zc.zk.tree.parse import parse_tree
from zc.zk.tree.render import render_tree
from zc.zk.tree.syntax import is_node_name

TEXT, JSON, YAML = "text", "json", "yaml"

BASE64 = "base64"

_BLANK = re.compile(r"[ \t\n\r]*")

# (line number, path, value) of a node.
_Member = tuple[int, Any, Any]


class FormatUnavailable(Error):
    """A format whose library is not installed."""


def render(root: ParseNode, format: str) -> Iterator[str]:
    """Yield the nodes below `root`, a parsed tree, in the format 'text', 'json' or 'yaml'."""
    if format == TEXT:
        return render_tree(root)
    members = _members(root)
    return _render_json(members) if format == JSON else _render_yaml(members)


def parse(text: str, format: str) -> ParseNode:
    """The tree that `text`, in the format 'text', 'json' or 'yaml', describes.

    Like `parse_tree`, it raises TreeSyntaxError, a ValueError, for what it cannot read, and so for
    a node whose parent is not there.
    """
    if format == TEXT:
        return parse_tree(text)
    text = text.removeprefix("\ufeff")
    nodes = {"": ParseNode()}
    for lineno, path, value in _read_json(text) if format == JSON else _read_yaml(text):
        try:
            _add(nodes, path, value)
        except ValueError as fault:
            raise TreeSyntaxError(lineno, text.split("\n")[lineno - 1], str(fault)) from None
    return nodes[""]


# Nodes as values


def _members(root: ParseNode) -> Iterator[tuple[str, Any]]:
    """The path and the value of each node below `root`."""
    paths = [""]
    for depth, node in root.walk():
        if depth:
            del paths[depth:]
            paths.append(f"{paths[-1]}/{node.name}")
            yield paths[-1], _value(node.data)


def _value(data: str | None) -> Any:
    if data is None:
        return None
    if not _is_text(data):
        content = data.encode("utf-8", "surrogateescape")
        return {BASE64: base64.b64encode(content).decode("ascii")}
    try:
        properties = nodedata.decode_strictly(data)
    except ValueError:
        return data
    says_it_all = (
        nodedata.encode(properties) == data
        and properties.get(nodedata.STRING_VALUE) != data
        and list(properties) != [BASE64]
        and not nodedata.has_number_beyond_json(data)
        and _is_text(json.dumps(properties, ensure_ascii=False))
    )
    return properties if says_it_all else data


def _is_text(data: str) -> bool:
    try:
        data.encode()
    except UnicodeEncodeError:
        return False
    return True


def _add(nodes: dict[str, ParseNode], path: Any, value: Any) -> None:
    """Put a node into the tree, whose nodes are in `nodes` by path. Raises ValueError."""
    above, slash, name = path.rpartition("/") if isinstance(path, str) else ("", "", "")
    if not slash or not is_node_name(name):
        raise ValueError(f"bad path {excerpt(path)}")
    if path in nodes:
        raise ValueError(f"duplicate node {excerpt(path)}")
    if above not in nodes:
        raise ValueError(f"no node above {excerpt(path)}: parents come before their children")
    node = ParseNode(name)
    _fill(node, value)
    nodes[above].add(node)
    nodes[path] = node


def _fill(node: ParseNode, value: Any) -> None:
    if isinstance(value, dict) and list(value) != [BASE64]:
        data = nodedata.encode(value)
        if nodedata.has_number_beyond_json(data):
            raise ValueError("NaN and infinity are no numbers in JSON")
        node.properties.update(value)
        return
    if isinstance(value, dict):
        value = _bytes_as_text(value[BASE64])
    elif value is not None and not isinstance(value, str):
        raise ValueError(f"a node is an object, a string or null, not {excerpt(value)}")
    elif value is not None and not _is_text(value):
        raise ValueError("a lone surrogate, which UTF-8 cannot hold")
    node.raw = RawData(value)
    node.properties.update(nodedata.decode(value))


def _bytes_as_text(encoded: Any) -> str:
    try:
        if not isinstance(encoded, str):
            raise ValueError("no string")
        content = base64.b64decode(encoded, validate=True)
    except ValueError as fault:
        raise ValueError(f"bad base64: {fault}") from None
    return content.decode("utf-8", "surrogateescape")


# JSON


def _render_json(members: Iterable[tuple[str, Any]]) -> Iterator[str]:
    separator = "{\n"
    for path, value in members:
        key, text = (json.dumps(part, ensure_ascii=False) for part in (path, value))
        yield f"{separator}  {key}: {text}"
        separator = ",\n"
    yield "{}\n" if separator == "{\n" else "\n}\n"


def _read_json(text: str) -> Iterator[_Member]:
    """The members of the outermost object, with the numbers of their lines."""
    try:
        yield from _json_members(text)
    except json.JSONDecodeError as fault:
        raise TreeSyntaxError(fault.lineno, _line_at(text, fault.pos), fault.msg) from None


def _json_members(text: str) -> Iterator[_Member]:
    decoder = json.JSONDecoder(object_pairs_hook=_distinct_members)

    def skip(position: int, *expected: str) -> int:
        """Go past one of the characters `expected`, and the blanks on both sides of it."""
        position = _end_of_blanks(text, position)
        if text[position : position + 1] not in expected:
            wanted = " or ".join(map(repr, expected))
            raise json.JSONDecodeError(f"expected {wanted}", text, position)
        return _end_of_blanks(text, position + 1)

    def value(position: int) -> tuple[Any, int]:
        try:
            return decoder.raw_decode(text, position)
        except json.JSONDecodeError:
            raise
        except RecursionError:
            raise json.JSONDecodeError("nested too deeply", text, position) from None
        except ValueError as fault:
            raise json.JSONDecodeError(str(fault), text, position) from None

    position = skip(0, "{")
    more = text[position : position + 1] != "}"
    while more:
        start = position
        if text[position : position + 1] != '"':
            raise json.JSONDecodeError("expected a path in double quotes", text, position)
        path, position = value(position)
        node, position = value(skip(position, ":"))
        yield text.count("\n", 0, start) + 1, path, node
        position = _end_of_blanks(text, position)
        more = text[position : position + 1] != "}"
        if more:
            position = skip(position, ",", "}")
    position = skip(position, "}")
    if position != len(text):
        raise json.JSONDecodeError("more text behind the tree", text, position)


def _end_of_blanks(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    assert match is not None
    return match.end()


def _distinct_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        duplicate = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"duplicate property {excerpt(duplicate)}")
    return members


def _line_at(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    return text[start:].partition("\n")[0]


# YAML


def _render_yaml(members: Iterable[tuple[str, Any]]) -> Iterator[str]:
    yaml = _yaml()
    is_empty = True
    for path, value in members:
        is_empty = False
        text: str = yaml.dump(
            {path: value},
            Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper),
            allow_unicode=True,
            default_flow_style=False,
            sort_keys=False,
            width=1_000_000,
        )
        yield text
    if is_empty:
        yield "{}\n"


def _read_yaml(text: str) -> Iterator[_Member]:
    """The members of the outermost mapping, with the numbers of their lines."""
    yaml = _yaml()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        yield from _YamlReader(yaml, loader).members()
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        index = mark.line if mark is not None else 0
        lines = text.split("\n")
        line = lines[index] if index < len(lines) else ""
        raise TreeSyntaxError(index + 1, line, fault.problem or str(fault)) from None
    except yaml.reader.ReaderError as fault:
        lineno = text.count("\n", 0, fault.position) + 1
        line = _line_at(text, fault.position)
        raise TreeSyntaxError(lineno, line, f"no YAML: {fault.reason}") from None
    finally:
        loader.dispose()


_YAML_SCALARS = {"null", "bool", "int", "float", "str"}


class _YamlReader:
    """Makes values of the parser's events.

    PyYAML's own way, by a tree of its own, ends the process when the text is nested deeply, takes
    the last of several members with one name, and follows aliases, by which a few lines can stand
    for more than memory holds. Here these are errors, which name the line.
    """

    def __init__(self, yaml: Any, loader: Any) -> None:
        self.yaml = yaml
        self.loader = loader

    def members(self) -> Iterator[_Member]:
        yaml, loader = self.yaml, self.loader
        loader.get_event()  # the start of the stream
        if isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            return
        if not isinstance(event := loader.get_event(), yaml.MappingStartEvent):
            raise self.error("a tree is a mapping of paths to nodes", event)
        while not isinstance(event := loader.get_event(), yaml.MappingEndEvent):
            path = self.name(event)
            yield event.start_mark.line + 1, path, self.value()
        loader.get_event()  # the end of the document
        if not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            raise self.error("more text behind the tree", event)

    def value(self) -> Any:
        """What the next events stand for."""
        result: list[Any] = []
        containers: list[list[Any] | dict[str, Any]] = [result]
        name: str | None = None
        while not result or len(containers) > 1:
            event = self.loader.get_event()
            container = containers[-1]
            if isinstance(event, self.yaml.CollectionEndEvent):
                containers.pop()
                continue
            if isinstance(container, dict) and name is None:
                name = self.name(event)
                if name in container:
                    raise self.error(f"duplicate property {excerpt(name)}", event)
                continue
            value = self.begun(event)
            if isinstance(container, list):
                container.append(value)
            else:
                assert name is not None
                container[name] = value
                name = None
            if isinstance(event, self.yaml.CollectionStartEvent):
                containers.append(value)
                if len(containers) > nodedata.MAX_NESTING + 1:
                    raise self.error("nested too deeply", event)
        return result[0]

    def begun(self, event: Any) -> Any:
        """The scalar, or a new collection, that an event stands for."""
        if isinstance(event, self.yaml.AliasEvent):
            raise self.error("an alias (*name): write the value again", event)
        if event.tag not in (None, "!"):
            raise self.error(f"a tag ({event.tag}), which JSON does not have", event)
        if isinstance(event, self.yaml.MappingStartEvent):
            return {}
        if isinstance(event, self.yaml.SequenceStartEvent):
            return []
        tag = self.loader.resolve(self.yaml.ScalarNode, event.value, event.implicit)
        kind = tag.rpartition(":")[2]
        if kind not in _YAML_SCALARS:
            raise self.error(f"a {kind}, which JSON does not have: quote it", event)
        node = self.yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        try:
            return self.loader.construct_object(node)
        except (ValueError, LookupError) as fault:
            raise self.error(str(fault), event) from None

    def name(self, event: Any) -> str:
        if isinstance(event, self.yaml.ScalarEvent):
            name = self.begun(event)
            if isinstance(name, str):
                return name
        raise self.error("a name that is no string: quote it", event)

    def error(self, reason: str, event: Any) -> Exception:
        fault: Exception = self.yaml.MarkedYAMLError(problem=reason, problem_mark=event.start_mark)
        return fault


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise FormatUnavailable(
            "YAML needs PyYAML, which is not installed: pip install 'zc.zk[tools]'"
        ) from None
    return yaml
