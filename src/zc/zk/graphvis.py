"""Pictures of a system: its services, and the links between them.

    tree = zc.zk.parse_tree(text)
    print(dot(system(tree)))

What is drawn are *units*: nodes that have a child `providers`, where servers register; nodes that
have a type; and those that have links, or are linked to, without being part of one of the former. A
unit stands for everything below it, down to the next units. From unit to unit there is an edge
where a symbolic link or a property link, in the one or in something that it stands for, leads to
the other one. Units below one top-level node are drawn as a group.

`dot` writes the language of Graphviz, whose program `dot` makes pictures of it; `picture` calls it.
"""

from __future__ import annotations

import html
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from zc.zk.errors import BadPropertyLink, Error, LinkLoop
from zc.zk.links import LINK, PROPERTY_LINK, join
from zc.zk.tree.model import ParseNode, TreeResolver
from zookeeper.errors import ZooKeeperException

PROVIDERS = "providers"

PICTURE_FORMATS = ("svg", "png", "pdf")

# Graphviz takes time over graphs that nobody could read anyway.
DRAWING_SECONDS = 60

_LONGEST_TEXT = 60
_MOST_NAMES = 4


class GraphvizError(Error):
    """Graphviz is not installed, or could not draw."""


class Unit(NamedTuple):
    """What is one box in the picture.

    `providers` are the names of the children of the node `providers`, None if there is no such
    node. `is_outside` is true of a unit that is drawn only because of a link to it.
    """

    path: str
    type: str | None
    providers: Sequence[str] | None
    is_outside: bool = False


class Edge(NamedTuple):
    """That links lead from one unit to another.

    `names` say which ones: paths relative to the source. If `fault` is set, they lead nowhere, and
    `target` is what they say.
    """

    source: str
    target: str
    names: Sequence[str]
    is_property_link: bool = False
    fault: str | None = None


class System(NamedTuple):
    """The units of a tree, sorted by path, and the edges between them."""

    units: Sequence[Unit]
    edges: Sequence[Edge]


def system(tree: ParseNode, top: str = "/") -> System:
    """The units at and below the path `top` of a parsed tree, and their links."""
    return _Survey(tree, top).result()


class _Survey:
    def __init__(self, tree: ParseNode, top: str) -> None:
        self.resolver = TreeResolver(tree)
        self.top = top
        self.units: dict[str, Unit] = {}
        self.names: dict[tuple[str, str, bool, str | None], list[str]] = {}

    def result(self) -> System:
        top = self.resolver.node(self.top)
        nodes = [(node.path, node) for _, node in top.walk()]
        for path, node in nodes:
            if path != "/" and _is_unit(node):
                self.add_unit(path)
        for path, node in nodes:
            for key, value in sorted(node.properties.items()):
                if key.endswith(LINK) and key.removesuffix(LINK) not in node.children:
                    self.follow(path, key.removesuffix(LINK), value, is_property_link=False)
                elif key.endswith(PROPERTY_LINK):
                    name = key.removesuffix(PROPERTY_LINK)
                    self.follow(path, name, value, is_property_link=True)
        units = [self.units[path] for path in sorted(self.units)]
        return System(units, [Edge(*key[:2], names, *key[2:]) for key, names in self.edges()])

    def edges(self) -> Iterable[tuple[tuple[str, str, bool, str | None], list[str]]]:
        return sorted(self.names.items(), key=lambda item: (*item[0][:3], item[0][3] or ""))

    def add_unit(self, path: str) -> str:
        if path not in self.units:
            node = self.resolver.find(path)
            assert node is not None
            providers = node.children.get(PROVIDERS)
            kind = node.properties.get("type")
            self.units[path] = Unit(
                path,
                kind if isinstance(kind, str) else None,
                None if providers is None else sorted(providers.children),
                is_outside=not _is_at_or_below(path, self.top),
            )
        return path

    def unit_of(self, path: str) -> str:
        """The path of the unit that a node is, or is part of."""
        node = self.resolver.find(path)
        while node is not None and node.parent is not None:
            if _is_unit(node):
                return self.add_unit(node.path)
            node = node.parent
        parent, _, name = path.rpartition("/")
        return self.add_unit(parent if name == PROVIDERS and parent else path)

    def follow(self, path: str, name: str, value: object, *, is_property_link: bool) -> None:
        source = self.unit_of(path)
        fault = None
        try:
            if is_property_link:
                found = self.resolver.follow_property_link(path, name, value)
                target = self.unit_of(found.path)
            else:
                target = self.unit_of(self.resolver.resolve(join(path, name)))
        except (BadPropertyLink, LinkLoop, ZooKeeperException) as broken:
            target = value if isinstance(value, str) else repr(value)
            fault = broken.reason if isinstance(broken, BadPropertyLink) else str(broken)
        if target == source and fault is None:
            return
        place = path.removeprefix(source).strip("/")
        label = "/".join(part for part in (place, name if name != PROVIDERS else "") if part)
        names = self.names.setdefault((source, target, is_property_link, fault), [])
        names.append(label or name)


def _is_unit(node: ParseNode) -> bool:
    return PROVIDERS in node.children or isinstance(node.properties.get("type"), str)


def _is_at_or_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip("/") + "/")


# Graphviz

# Fill and line of units without a type, and of those of the first, second, ... type.
_PLAIN = ("#f3f4f6", "#4b5563")
_PALETTE = (
    ("#dbeafe", "#1d4ed8"),
    ("#dcfce7", "#15803d"),
    ("#fef3c7", "#b45309"),
    ("#ede9fe", "#6d28d9"),
    ("#cffafe", "#0e7490"),
    ("#fce7f3", "#be185d"),
    ("#ecfccb", "#4d7c0f"),
    ("#ffedd5", "#c2410c"),
)
_BROKEN = "#dc2626"
_ALIVE = "#15803d"
_QUIET = "#6b7280"

_HEAD = """\
  graph [rankdir=LR, fontname="Helvetica,Arial,sans-serif", fontsize=12, fontcolor="#475569",
         nodesep=0.3, ranksep=0.9, pad=0.3, labelloc=t, bgcolor=white]
  node [shape=box, style="rounded,filled", fontname="Helvetica,Arial,sans-serif", fontsize=12,
        penwidth=1.2, margin="0.15,0.08"]
  edge [fontname="Helvetica,Arial,sans-serif", fontsize=10, color="#475569", fontcolor="#475569",
        arrowsize=0.7]
"""


def dot(picture: System, *, live: bool = False, title: str = "") -> str:
    """The picture in Graphviz's language.

    If `live`, each service tells how many providers it has, which makes sense if the tree was
    exported with its ephemeral nodes.
    """
    return "".join(_dot(picture, live, title))


def _dot(picture: System, live: bool, title: str) -> Iterator[str]:
    yield "digraph system {\n"
    yield _HEAD
    if title:
        yield f"  label={_quoted(title)}; fontsize=16\n"
    types = sorted({unit.type for unit in picture.units if unit.type})
    colours = {kind: _PALETTE[index % len(_PALETTE)] for index, kind in enumerate(types)}
    groups: dict[str, list[Unit]] = {}
    for unit in picture.units:
        groups.setdefault("" if unit.is_outside else unit.path.split("/")[1], []).append(unit)
    for number, (name, units) in enumerate(groups.items()):
        if not name or [unit.path for unit in units] == [f"/{name}"]:
            yield from (f"  {_node(unit, unit.path[1:], colours, live)}\n" for unit in units)
            continue
        yield f"  subgraph cluster_{number} {{\n"
        yield f"    label={_quoted('/' + name)}; labeljust=l; fontsize=11; style=rounded\n"
        yield '    color="#cbd5e1"; bgcolor="#f8fafc"; penwidth=1; margin=14\n'
        for unit in units:
            shown = unit.path.removeprefix(f"/{name}").strip("/") or name
            yield f"    {_node(unit, shown, colours, live)}\n"
        yield "  }\n"
    for text in dict.fromkeys(edge.target for edge in picture.edges if edge.fault):
        yield (
            f"  {_broken_node(text)} [label={_quoted(_cut(text))},"
            f' style="rounded,dashed", color="{_BROKEN}", fontcolor="{_BROKEN}"]\n'
        )
    for edge in picture.edges:
        yield f"  {_edge(edge)}\n"
    yield "}\n"


def _node(unit: Unit, name: str, colours: Mapping[str, tuple[str, str]], live: bool) -> str:
    fill, border = colours[unit.type] if unit.type else _PLAIN
    style = "rounded,filled"
    lines = [f"<B>{_markup(name)}</B>"]
    if unit.type:
        lines.append(f'<FONT POINT-SIZE="10" COLOR="{border}">{_markup(unit.type)}</FONT>')
    tooltip = [unit.path]
    if unit.is_outside:
        fill, border, style = "white", _QUIET, "rounded,filled,dashed"
    elif unit.providers is not None and (live or unit.providers):
        count = len(unit.providers)
        colour = _ALIVE if count else _BROKEN
        text = f"{count or 'no'} provider{'' if count == 1 else 's'}"
        lines.append(f'<FONT POINT-SIZE="10" COLOR="{colour}">{text}</FONT>')
        tooltip = [unit.path, *unit.providers]
        if live and not count:
            border = _BROKEN
    attributes = {
        "label": f"<{'<BR/>'.join(lines)}>",
        "tooltip": _quoted(*tooltip),
        "fillcolor": f'"{fill}"',
        "color": f'"{border}"',
        "style": f'"{style}"',
    }
    return f"{_quoted(unit.path)} [{_written(attributes)}]"


def _edge(edge: Edge) -> str:
    names = list(edge.names[:_MOST_NAMES])
    if len(edge.names) > _MOST_NAMES:
        names.append(f"and {len(edge.names) - _MOST_NAMES} more")
    attributes = {"label": _quoted(*map(_cut, names))}
    if edge.is_property_link:
        attributes |= {"style": "dashed", "arrowhead": "vee"}
    target = _quoted(edge.target)
    if edge.fault:
        target = _broken_node(edge.target)
        attributes |= {
            "color": f'"{_BROKEN}"',
            "fontcolor": f'"{_BROKEN}"',
            "tooltip": _quoted(edge.fault),
        }
    return f"{_quoted(edge.source)} -> {target} [{_written(attributes)}]"


def _broken_node(text: str) -> str:
    # No path is like this, so that it is no unit's.
    return _quoted(f"broken {text}")


def _written(attributes: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in attributes.items())


def _quoted(*lines: str) -> str:
    """A string of Graphviz's language, without what Graphviz would take for escapes or entities."""
    return '"' + "\\n".join(map(_escaped, lines)) + '"'


def unit_path(title: str) -> str:
    """The path of the unit whose box has this title in an SVG picture."""
    return title.replace("\\\\", "\\")


def _escaped(text: str) -> str:
    printable = _printable(text).replace("&", "&amp;")
    return printable.replace("\\", "\\\\").replace('"', '\\"')


def _markup(text: str) -> str:
    # Graphviz has escapes in here too, such as \N for the name of the node.
    return html.escape(_cut(_printable(text))).replace("\\", "\\\\")


def _printable(text: str) -> str:
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."


def picture(source: str, format: str) -> bytes:
    """What Graphviz makes of `source`, in its language: 'svg', 'png' or 'pdf'.

    Raises GraphvizError when Graphviz is not installed, or has not drawn it within a minute.
    """
    try:
        drawn = subprocess.run(
            ["dot", f"-T{format}", *(["-Gdpi=144"] if format == "png" else [])],
            input=source.encode(),
            capture_output=True,
            timeout=DRAWING_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise GraphvizError(
            f"{format} needs Graphviz, which is not installed (apt-get install graphviz);"
            " the format dot works without it"
        ) from None
    except subprocess.TimeoutExpired:
        raise GraphvizError(
            f"Graphviz has not drawn it within {DRAWING_SECONDS} seconds: draw a part of it"
        ) from None
    if drawn.returncode:
        reason = drawn.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise GraphvizError(f"Graphviz failed: {reason[-1]}")
    return drawn.stdout
