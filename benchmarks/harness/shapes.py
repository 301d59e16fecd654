"""Generate trees of several shapes, from a seed and a number of nodes.

A tree is a list of nodes, parents before children, with paths relative to wherever it is loaded;
the node of the empty path is the root itself and the first of them. Properties are written as
`zc.zk` writes them, so that export and import read the trees as their own.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

Properties = dict[str, object]

SEED = 20120911

WORDS = (
    *("address", "cache", "client", "cluster", "color", "count", "database", "delay", "host"),
    *("interval", "key", "limit", "main", "mode", "owner", "pool", "port", "primary", "queue"),
    *("rate", "region", "replica", "retail", "route", "size", "state", "store", "threads"),
    *("timeout", "token", "user", "version", "weight", "worker", "zone"),
)


class Node(NamedTuple):
    """One node of a generated tree."""

    path: str
    properties: Properties

    @property
    def data(self) -> bytes:
        return encode(self.properties)


def encode(properties: Properties) -> bytes:
    """Return the data of a node with these properties."""
    if not properties:
        return b""
    return json.dumps(properties, separators=(",", ":"), sort_keys=True).encode()


def generate(shape: str, nodes: int, seed: int = SEED) -> list[Node]:
    """Generate a tree of exactly `nodes` nodes, the root included.

    The same arguments give the same tree.
    """
    return list(islice(SHAPES[shape](random.Random(f"{seed} {shape}"), nodes), nodes))


def mixed(chance: random.Random, nodes: int) -> Iterator[Node]:
    """Generate services as people model them.

    They have uneven branches some levels deep, a few properties, and links.
    """
    yield Node("", {"type": "benchmark"})
    open_paths = deque([""])
    while True:
        parent = open_paths.popleft()
        for number in range(chance.choice((2, 3, 5, 8, 20, 40))):
            path = f"{parent}/{chance.choice(WORDS)}-{number}"
            yield Node(path, some_properties(chance, chance.randrange(6)))
            open_paths.append(path)


def wide(chance: random.Random, nodes: int) -> Iterator[Node]:
    """Generate all nodes directly under the root, with hardly any data.

    Registrations and queues are like this.
    """
    yield Node("", {})
    for number in range(nodes):
        yield Node(f"/10.{number >> 16}.{number >> 8 & 255}.{number & 255}:8080", {"pid": number})


def deep(chance: random.Random, nodes: int) -> Iterator[Node]:
    """Generate chains of fifty nodes, one below the other."""
    yield Node("", {})
    for chain in range(nodes):
        path = f"/chain-{chain}"
        for level in range(50):
            yield Node(path, {"level": level})
            path += f"/{chance.choice(WORDS)}"


def many_properties(chance: random.Random, nodes: int) -> Iterator[Node]:
    """Generate a hundred children for each node, with many properties.

    Each has twenty to forty small ones.
    """
    for path in hundreds(nodes):
        yield Node(path, some_properties(chance, chance.randrange(20, 41)))


def large_values(chance: random.Random, nodes: int) -> Iterator[Node]:
    """Generate a hundred children for each node, and some large values.

    One node in fifty holds a value of 50 to 100 KB.
    """
    for path in hundreds(nodes):
        properties: Properties = {}
        if chance.randrange(50) == 0:
            words = chance.choices(WORDS, k=chance.randrange(7000, 14000))
            properties["document"] = " ".join(words)
        yield Node(path, properties)


SHAPES: dict[str, Callable[[random.Random, int], Iterator[Node]]] = {
    shape.__name__: shape for shape in (mixed, wide, deep, many_properties, large_values)
}


def hundreds(nodes: int) -> Iterator[str]:
    """Yield paths of a tree with a hundred children at each node, by levels."""
    yield ""
    open_paths = deque([""])
    while True:
        parent = open_paths.popleft()
        for number in range(100):
            yield (path := f"{parent}/node-{number:02}")
            open_paths.append(path)


def some_properties(chance: random.Random, count: int) -> Properties:
    """Return properties of the usual kinds, a link among them now and then."""
    properties: Properties = {}
    for number in range(count):
        name = f"{chance.choice(WORDS)}_{number}"
        kind = chance.randrange(10)
        if kind < 4:
            properties[name] = chance.randrange(100_000)
        elif kind < 8:
            properties[name] = " ".join(chance.choices(WORDS, k=chance.randrange(1, 5)))
        elif kind == 8:
            properties[name] = chance.choice((True, False, None, 0.5, [1, 2, 3], {"a": "b"}))
        else:
            properties[f"{name} ->"] = f"/services/{chance.choice(WORDS)}/providers"
    return properties
