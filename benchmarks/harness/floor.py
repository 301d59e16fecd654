"""Prepare the requests of the floors of bulk work, and have `benchmarks/c/floor_bulk.c` send them.

They are those of a good client: as many nodes in a request, as many requests under way, and none
for what could not be known yet. Nothing here is timed.
"""

from __future__ import annotations

import struct
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from . import c_programs, shapes
from .cases import expect

# A path below the root, and the data.
Node = tuple[str, bytes]

CREATE, GET_DATA, GET_CHILDREN, MULTI, MULTI_READ = 1, 4, 8, 14, 22

READS, READS_IN_FLIGHT = 500, 8
WRITES, WRITES_IN_FLIGHT = 500, 4
MAX_ANSWER = 2_000_000  # bytes that a read aims at; the stat takes some more
MAX_REQUEST = 500_000  # bytes of data in a request, well below the server's limit

WORLD = struct.pack(">ii5si6s", 31, 5, b"world", 6, b"anyone")


class Floor(NamedTuple):
    """The figures of one round, in seconds."""

    seconds: float
    processor: float


class _Read(NamedTuple):
    op: int
    place: int  # of its node


def prepared(nodes: Sequence[shapes.Node]) -> list[Node]:
    """Return generated nodes as the floors have them."""
    return [(node.path, node.data) for node in nodes]


def read_floor(hosts: str, root: str, nodes: Sequence[Node]) -> Floor:
    """Read the nodes below `root` by MultiRead."""
    return _run(hosts, _reads(root, nodes), sum(len(data) for _, data in nodes))


def create_floor(
    hosts: str,
    root: str,
    nodes: Sequence[Node],
    batch: int = WRITES,
    in_flight: int = WRITES_IN_FLIGHT,
) -> Floor:
    """Create the nodes below `root` by transactions."""
    return _run(hosts, _creates(root, nodes, batch, in_flight))


def _run(hosts: str, requests: Iterable[tuple[int, bytes]], at_least: int = 0) -> Floor:
    with tempfile.NamedTemporaryFile() as file:
        count = 0
        for after, request in requests:
            count += 1
            file.write(struct.pack(">ii", after, len(request)) + request)
        file.flush()
        found = c_programs.run("floor_bulk", hosts, file.name)
    expect(found["answers"], count, "answers")
    expect(found["bytes"] > at_least, True, "answers have all data")
    return Floor(found["seconds"], found["processor"])


def _request(number: int, op: int, parts: Iterable[tuple[int, bytes]]) -> bytes:
    """Return a request of many operations."""
    header = struct.Struct(">ibi")
    body = b"".join(header.pack(kind, 0, -1) + part for kind, part in parts)
    return struct.pack(">ii", number, op) + body + header.pack(-1, 1, -1)


def _text(text: bytes) -> bytes:
    return struct.pack(">i", len(text)) + text


def _reads(root: str, nodes: Sequence[Node]) -> Iterator[tuple[int, bytes]]:
    """Yield requests for data, and for children, as answers make them known."""
    children: dict[str, list[int]] = {path: [] for path, _ in nodes}
    for place, (path, _) in enumerate(nodes):
        if path:
            children[path.rpartition("/")[0]].append(place)
    for places in children.values():
        places.sort(key=lambda place: nodes[place][0])
    data_to_read, parents = deque([0]), deque[int]()
    under_way = deque[list[_Read]]()
    sent = answered = 0
    while data_to_read or parents or under_way:
        while (data_to_read or parents) and len(under_way) < READS_IN_FLIGHT:
            reads: list[_Read] = []
            size = 0
            while (data_to_read or parents) and len(reads) < READS and size < MAX_ANSWER:
                read = (
                    _Read(GET_CHILDREN, parents.popleft())
                    if parents
                    else _Read(GET_DATA, data_to_read.popleft())
                )
                reads.append(read)
                size += len(nodes[read.place][1]) if read.op == GET_DATA else 0
            sent += 1
            paths = [(read.op, (root + nodes[read.place][0]).encode()) for read in reads]
            yield (
                answered,
                _request(sent, MULTI_READ, [(op, _text(path) + b"\0") for op, path in paths]),
            )
            under_way.append(reads)
        answered += 1
        for read in under_way.popleft():
            below = children[nodes[read.place][0]]
            if read.op == GET_CHILDREN:
                data_to_read.extend(below)
            elif below:
                parents.append(read.place)


def _creates(
    root: str, nodes: Sequence[Node], batch: int, in_flight: int
) -> Iterator[tuple[int, bytes]]:
    """Yield transactions. What a path has in front is known, so they only wait for each other."""
    parts: list[tuple[int, bytes]] = []
    size = sent = 0
    for place, (path, data) in enumerate(nodes):
        body = _text((root + path).encode()) + _text(data)
        parts.append((CREATE, body + struct.pack(">i", 1) + WORLD + struct.pack(">i", 0)))
        size += len(body)
        if len(parts) == batch or size >= MAX_REQUEST or place == len(nodes) - 1:
            sent += 1
            yield max(0, sent - in_flight), _request(sent, MULTI, parts)
            parts, size = [], 0
