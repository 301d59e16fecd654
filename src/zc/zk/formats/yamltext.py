"""Trees as YAML, by PyYAML, whose parser's events become values here."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from zc.zk import codec
from zc.zk.errors import Error, TreeSyntaxError, excerpt
from zc.zk.formats.lines import NodeMember, line_at
from zc.zk.tree.blocks import MIN_LINE_FEEDS


class FormatUnavailable(Error):
    """The library of a format is not installed."""

    __module__ = "zc.zk.formats"


def render(members: Iterable[tuple[str, Any]]) -> Iterator[str]:
    yaml = _yaml()
    is_empty = True
    for path, value in members:
        is_empty = False
        text = _dumped(yaml, path, value, allow_unicode=True)
        # PyYAML leaves some characters alone that command a terminal, such as those that turn text.
        if not text.replace("\n", "").isprintable():
            text = _dumped(yaml, path, value, allow_unicode=False)
        yield text
    if is_empty:
        yield "{}\n"


def _dumped(yaml: Any, path: str, value: Any, *, allow_unicode: bool) -> str:
    text: str = yaml.dump(
        {path: value},
        Dumper=_dumper(yaml),
        allow_unicode=allow_unicode,
        default_flow_style=False,
        sort_keys=False,
        width=1_000_000,
    )
    return text


@functools.cache
def _dumper(yaml: Any) -> Any:
    """Return a dumper that writes text of many lines as such."""

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        pass

    def represent(dumper: Any, text: str) -> Any:
        style = "|" if _is_block(text) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    def represent_members(dumper: Any, members: dict[str, Any]) -> Any:
        node = dumper.represent_mapping("tag:yaml.org,2002:map", members)
        for name, _ in node.value:
            name.style = None  # no name can be a block
        return node

    Dumper.add_representer(str, represent)
    Dumper.add_representer(dict, represent_members)
    return Dumper


def _is_block(text: str) -> bool:
    """Return whether all of a text can be seen in a block, and is not taken away by editors."""
    if text.count("\n") < MIN_LINE_FEEDS or text[0] in " \n":
        return False
    return all(line.isprintable() and line == line.rstrip() for line in text.split("\n"))


def read(text: str) -> Iterator[NodeMember]:
    """Yield the members of the outermost mapping, with their line numbers."""
    yaml = _yaml()
    text = text.removeprefix("\ufeff")  # libyaml does not count it
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        reader = _Reader(yaml, loader, text)
        try:
            yield from reader.members()
        except yaml.MarkedYAMLError as fault:
            mark = fault.problem_mark or fault.context_mark
            position = mark.index if mark is not None else 0
            reason = _TOO_DEEP if reader.is_too_deep(position) else fault.problem or str(fault)
            lineno = text.count("\n", 0, position) + 1
            raise TreeSyntaxError(lineno, line_at(text, position), reason) from None
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as fault:
        lineno = text.count("\n", 0, fault.position) + 1
        line = line_at(text, fault.position)
        raise TreeSyntaxError(lineno, line, f"no YAML: {fault.reason}") from None
    except UnicodeEncodeError as fault:
        lineno = text.count("\n", 0, fault.start) + 1
        line = line_at(text, fault.start)
        raise TreeSyntaxError(lineno, line, "no YAML: a surrogate is no character") from None


_YAML_SCALARS = {"null", "bool", "int", "float", "str"}

# Digits that Python makes a number of, by default. Numbers with colons in them, to the base of 60,
# it would make of any length, in a time that grows with its square.
_MAX_DIGITS = 4300

_TOO_DEEP = "nested too deeply"

# Brackets are looked for between these: quoted text, comments, plain text.
_PART = re.compile(
    r"""
    '(?:[^']|'')*' | "(?:[^"\\]|\\.)*" | (?<!\S)\#.* | [\[\]{}]
    | [^\s,\[\]{}'"\#:] (?:[^,\]}\n:]|:(?!\s))*
    """,
    re.VERBOSE,
)


class _Reader:
    """Makes values of the parser's events.

    PyYAML's own way, by a tree of its own, ends the process when the text is nested deeply, takes
    the last of several members with one name, and follows aliases, by which a few lines can stand
    for more than memory holds. Here these are errors, which name the line.
    """

    def __init__(self, yaml: Any, loader: Any, text: str) -> None:
        self.yaml = yaml
        self.loader = loader
        self.text = text
        self.containers: list[Any] = []  # those that are open in the value that is read
        self.last: Any = None  # the last event of it

    def is_too_deep(self, end: int) -> bool:
        """Return whether too many collections are open where the parser failed.

        It reads ahead, for up to 1,024 characters, as a collection may be a key, so a limit of its
        own can come up before the events are here of which we make ours.
        """
        depth = len(self.containers)
        start = self.last.end_mark.index if self.last is not None else 0
        for part in _PART.finditer(self.text, start, end + 1):
            depth += (part[0] in ("[", "{")) - (part[0] in ("]", "}"))
            if depth > codec.MAX_NESTING + 1:
                return True
        return False

    def members(self) -> Iterator[NodeMember]:
        yaml, loader = self.yaml, self.loader
        loader.get_event()  # the start of the stream
        if isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            return
        if not isinstance(event := loader.get_event(), yaml.MappingStartEvent):
            raise self.error("a tree is a mapping of paths to nodes", event)
        # Lines end with a newline here, and not with whatever else ends one in YAML.
        lineno, counted = 1, 0
        while not isinstance(event := loader.get_event(), yaml.MappingEndEvent):
            self.last = event
            lineno += self.text.count("\n", counted, event.start_mark.index)
            counted = event.start_mark.index
            path = self.name(event)
            yield lineno, path, self.value()
        loader.get_event()  # the end of the document
        if not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            raise self.error("more text behind the tree", event)

    def value(self) -> Any:
        """Return the value of the next events."""
        result: list[Any] = []
        containers: list[list[Any] | dict[str, Any]] = [result]
        self.containers = containers
        name: str | None = None
        while not result or len(containers) > 1:
            event = self.last = self.loader.get_event()
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
                if len(containers) > codec.MAX_NESTING + 1:
                    raise self.error(_TOO_DEEP, event)
        return result[0]

    def begun(self, event: Any) -> Any:
        """Return the scalar, or a new collection, that an event stands for."""
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
        if kind in ("int", "float") and len(event.value) > _MAX_DIGITS and ":" in event.value:
            raise self.error("the number is too large", event)
        node = self.yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        try:
            return self.loader.construct_object(node)
        except OverflowError:
            raise self.error("the number is too large", event) from None
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
