"""A system in the language of Graphviz."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from math import ceil

from zc.zk.errors import printable
from zc.zk.graphvis.labels import POINTS_PER_INCH, inches
from zc.zk.graphvis.survey import Edge, System, Unit

_MAX_TEXT = 60
_MAX_NAMES = 4

# Providers that a tooltip names.
_MAX_TOLD = 20

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
_BROKEN = "#b91c1c"
_ALIVE = "#166534"
_QUIET = "#6b7280"

# Points, and inches to the left and to the right of a label.
_NAME_SIZE = 12
_TEXT_SIZE = 10
_GROUP_SIZE = 11
_MARGIN = 0.15

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
        yield f"    label={_group_label('/' + name)}; labeljust=l; fontsize={_GROUP_SIZE}\n"
        yield '    style=rounded; color="#cbd5e1"; bgcolor="#f8fafc"; penwidth=1; margin=14\n'
        for unit in units:
            shown = unit.path.removeprefix(f"/{name}").strip("/") or name
            yield f"    {_node(unit, shown, colours, live)}\n"
        yield "  }\n"
    for text in dict.fromkeys(edge.target for edge in picture.edges if edge.fault):
        yield (
            f"  {_broken_node(text)} [label={quoted(_cut(text))},"
            f" width={_width((_cut(text), _NAME_SIZE))},"
            f' style="rounded,dashed", color="{_BROKEN}", fontcolor="{_BROKEN}"]\n'
        )
    for edge in picture.edges:
        yield f"  {_edge(edge)}\n"
    yield "}\n"


def _node(unit: Unit, name: str, colours: Mapping[str, tuple[str, str]], live: bool) -> str:
    fill, border = colours[unit.type] if unit.type else _PLAIN
    style = "rounded,filled"
    name = _cut(printable(name or unit.path))  # the root, which a link may lead to, has no name
    lines = [(name, _NAME_SIZE)]
    markup = [f"<B>{_markup(name)}</B>"]
    if unit.is_outside:
        fill, border, style = "white", _QUIET, "rounded,filled,dashed"
    texts = list(_texts(unit, border, live))
    if live and any(colour == _BROKEN for _, colour in texts):
        border = _BROKEN
    for text, colour in texts:
        lines.append((text, _TEXT_SIZE))
        markup.append(f'<FONT POINT-SIZE="{_TEXT_SIZE}" COLOR="{colour}">{_markup(text)}</FONT>')
    tooltip = [unit.path]
    if unit.providers and not unit.is_outside:
        tooltip += unit.providers[:_MAX_TOLD]
        if len(unit.providers) > _MAX_TOLD:
            tooltip.append(f"and {len(unit.providers) - _MAX_TOLD:,} more")
    attributes = {
        "label": f"<{'<BR/>'.join(markup)}>",
        "width": _width(*lines),
        "tooltip": quoted(*tooltip),
        "fillcolor": f'"{fill}"',
        "color": f'"{border}"',
        "style": f'"{style}"',
    }
    if unit.inside:
        attributes["peripheries"] = "2"
    return f"{quoted(unit.path)} [{_written(attributes)}]"


def _texts(unit: Unit, border: str, live: bool) -> Iterator[tuple[str, str]]:
    """Yield the lines below a unit's name, and their colours."""
    if unit.type:
        yield _cut(printable(unit.type)), border
    if unit.inside:
        yield f"{unit.inside:,} services", border
        if live and unit.lifeless:
            yield f"{unit.lifeless:,} without providers", _BROKEN
    elif unit.providers is not None and (live or unit.providers) and not unit.is_outside:
        count = len(unit.providers)
        text = f"{count or 'no'} provider{'' if count == 1 else 's'}"
        yield text, _ALIVE if count else _BROKEN


def _width(*lines: tuple[str, float]) -> str:
    """Write the width in inches that a box with these texts, and their sizes, has at least."""
    return f"{max(inches(text, size) for text, size in lines) + 2 * _MARGIN:.2f}"


def _group_label(text: str) -> str:
    """Write the label of a group, whose frame is as wide as a table in it, at least."""
    text = _cut(printable(text))
    points = ceil(inches(text, _GROUP_SIZE) * POINTS_PER_INCH)
    return (
        '<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0"><TR>'
        f'<TD ALIGN="LEFT" WIDTH="{points}">{_markup(text)}</TD></TR></TABLE>>'
    )


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
    markup = html.escape(text).replace("]", "&#93;")
    return markup.replace("\\", "\\\\")


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."
