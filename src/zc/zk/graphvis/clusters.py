"""A system that is too large to be drawn, in fewer boxes.

Pure. `clustered` joins the units below each node into one box, which can be opened: the picture of
a part of the system. That gains nothing where thousands of services are side by side;
`is_drawable` says so, and a list is what is left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from zc.zk.graphvis.survey import Edge, System, Unit

# In larger pictures nobody sees anything, and Graphviz takes long.
MAX_UNITS = 120
MAX_EDGES = 300


def is_drawable(picture: System, most_units: int = MAX_UNITS, most_edges: int = MAX_EDGES) -> bool:
    """Say whether a picture has no more boxes and edges than can be looked at."""
    return len(picture.units) <= most_units and len(picture.edges) <= most_edges


def clustered(
    picture: System, top: str = "/", most_units: int = MAX_UNITS, most_edges: int = MAX_EDGES
) -> System:
    """Join the units below children of `top`, and those outside of it, into one box each.

    The largest groups are joined first, and no more of them than is needed. Links of a box are
    counted, as are those that lead nowhere.
    """
    groups: dict[str, list[Unit]] = {}
    for unit in picture.units:
        groups.setdefault(_group(unit, top), []).append(unit)
    several = sorted(
        (path for path, units in groups.items() if len(units) > 1),
        key=lambda path: (len(groups[path]), path),
    )
    joined: set[str] = set()
    found = picture
    left = len(picture.units)
    while several and not is_drawable(found, most_units, most_edges):
        while several:
            path = several.pop()
            joined.add(path)
            left -= len(groups[path]) - 1
            if left <= most_units:
                break
        found = _with_boxes(picture, groups, joined)
    return found


def _with_boxes(
    picture: System, groups: Mapping[str, Sequence[Unit]], joined: Collection[str]
) -> System:
    place: dict[str, str] = {}
    boxes: list[Unit] = []
    for path, units in groups.items():
        if path in joined:
            boxes.append(_joined(path, units))
            place.update((unit.path, path) for unit in units)
        else:
            boxes += units
            place.update((unit.path, unit.path) for unit in units)
    return System(sorted(boxes, key=lambda unit: unit.path), list(_edges(picture, place, joined)))


def _group(unit: Unit, top: str) -> str:
    above = "/" if unit.is_outside else top.rstrip("/") + "/"
    name = unit.path.removeprefix(above).partition("/")[0]
    return above + name if unit.path.startswith(above) else unit.path


def _joined(path: str, units: Sequence[Unit]) -> Unit:
    services = [unit for unit in units if unit.providers is not None]
    return Unit(
        path,
        None,
        None,
        all(unit.is_outside for unit in units),
        len(services) or len(units),
        sum(not unit.providers for unit in services),
    )


def _edges(picture: System, place: Mapping[str, str], joined: Collection[str]) -> Iterator[Edge]:
    links: dict[tuple[str, str, bool, bool], int] = {}
    for edge in picture.edges:
        source = place[edge.source]
        if source not in joined and (edge.fault or place[edge.target] not in joined):
            yield edge
            continue
        target = "" if edge.fault else place[edge.target]
        if source != target:
            key = source, target, edge.is_property_link and not edge.fault, bool(edge.fault)
            links[key] = links.get(key, 0) + len(edge.names)
    for (source, target, is_property_link, is_broken), count in sorted(links.items()):
        text = f"{count:,} link{'' if count == 1 else 's'}"
        if is_broken:
            # The target is a box of its own for each source.
            nowhere = f"nowhere from {source}"
            yield Edge(source, nowhere, [text], is_property_link, "they lead nowhere")
        else:
            yield Edge(source, target, [text], is_property_link)
