"""A system in the language of Graphviz."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping

from zc.zk.errors import printable
from zc.zk.graphvis.survey import Edge, System, Unit

_MAX_TEXT = 60
_MAX_NAMES = 4

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
    """Write the picture in Graphviz's language.

    If `live`, each service tells how many providers it has, which makes sense if the tree was
    exported with its ephemeral nodes.
    """
    return "".join(_dot(picture, live, title))


def _dot(picture: System, live: bool, title: str) -> Iterator[str]:
    yield "digraph system {\n"
    yield _HEAD
    if title:
        yield f"  label={quoted(title)}; fontsize=16\n"
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
        yield f"    label={quoted('/' + name)}; labeljust=l; fontsize=11; style=rounded\n"
        yield '    color="#cbd5e1"; bgcolor="#f8fafc"; penwidth=1; margin=14\n'
        for unit in units:
            shown = unit.path.removeprefix(f"/{name}").strip("/") or name
            yield f"    {_node(unit, shown, colours, live)}\n"
        yield "  }\n"
    for text in dict.fromkeys(edge.target for edge in picture.edges if edge.fault):
        yield (
            f"  {_broken_node(text)} [label={quoted(_cut(text))},"
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
        "tooltip": quoted(*tooltip),
        "fillcolor": f'"{fill}"',
        "color": f'"{border}"',
        "style": f'"{style}"',
    }
    return f"{quoted(unit.path)} [{_written(attributes)}]"


def _edge(edge: Edge) -> str:
    names = list(edge.names[:_MAX_NAMES])
    if len(edge.names) > _MAX_NAMES:
        names.append(f"and {len(edge.names) - _MAX_NAMES} more")
    attributes = {"label": quoted(*map(_cut, names))}
    if edge.is_property_link:
        attributes |= {"style": "dashed", "arrowhead": "vee"}
    target = quoted(edge.target)
    if edge.fault:
        target = _broken_node(edge.target)
        attributes |= {
            "color": f'"{_BROKEN}"',
            "fontcolor": f'"{_BROKEN}"',
            "tooltip": quoted(edge.fault),
        }
    return f"{quoted(edge.source)} -> {target} [{_written(attributes)}]"


def _broken_node(text: str) -> str:
    # No path is like this, so that it is no unit's.
    return quoted(f"broken {text}")


def _written(attributes: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in attributes.items())


def quoted(*lines: str) -> str:
    """Write a string of Graphviz's language, free of escapes and entities."""
    return '"' + "\\n".join(map(_escaped, lines)) + '"'


def unit_path(title: str) -> str:
    """Return the path of the unit whose box has this title in an SVG picture."""
    return title.replace("\\\\", "\\")


def _escaped(text: str) -> str:
    escaped = printable(text).replace("&", "&amp;")
    return escaped.replace("\\", "\\\\").replace('"', '\\"')


def _markup(text: str) -> str:
    # Graphviz has escapes in here too, such as \N for the name of the node, and cannot read text
    # that begins with a closing bracket.
    markup = html.escape(_cut(printable(text))).replace("]", "&#93;")
    return markup.replace("\\", "\\\\")


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."
