"""The rival: the same jobs with kazoo, written obviously, and at its best.

The obvious way is the one of its documentation, one call after another. Best is what its interface
allows: a whole level of the tree asked for at once by asynchronous calls, children only where the
stat says that there are some, and writes in transactions that do not wait for each other. Bounded
windows in place of whole levels were measured too, and are slower.

Text is parsed by `zc.zk.parse_tree` for both sides, so that a comparison of imports compares what
goes over the wire, and written by the few lines below.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

import zc.zk

from .shapes import Properties, encode

# A transaction holds so many at most; servers refuse requests of more than a megabyte.
BATCH = 500
BATCH_BYTES = 500_000

Znode = tuple[bytes, Any]
Import = Callable[[KazooClient, str, Any], int]


@contextmanager
def connected(hosts: str, **more: Any) -> Iterator[KazooClient]:
    """Start a client, and close it afterwards. `more` is for `KazooClient`."""
    client = KazooClient(hosts, timeout=30, **more)
    client.start()
    try:
        yield client
    finally:
        client.stop()
        client.close()


def server_version(hosts: str) -> str:
    """Return the version that the server tells of itself."""
    with connected(hosts) as client:
        return ".".join(map(str, client.server_version()))


def join(path: str, name: str) -> str:
    return f"{path.rstrip('/')}/{name}"


# Reading


def read_obviously(client: KazooClient, root: str) -> Iterator[tuple[str, Znode]]:
    """Read path, data and stat of every node, one call after another."""
    yield root, client.get(root)
    for name in client.get_children(root):
        yield from read_obviously(client, join(root, name))


def read_best(client: KazooClient, root: str) -> dict[str, Znode]:
    """Read data and stat of every node of a subtree, level by level."""
    found = {}
    level = [root]
    while level:
        answers = [(path, client.get_async(path)) for path in level]
        families = []
        for path, answer in answers:
            found[path] = answer.get()
            if found[path][1].numChildren:
                families.append((path, client.get_children_async(path)))
        level = [join(path, name) for path, answer in families for name in answer.get()]
    return found


def walk_obviously(client: KazooClient, root: str) -> Iterator[str]:
    """Yield the paths of a subtree, depth first, one call after another."""
    yield root
    for name in sorted(client.get_children(root)):
        yield from walk_obviously(client, join(root, name))


def walk_best(client: KazooClient, root: str) -> list[str]:
    """Yield the paths of a subtree, level by level: parents come first."""
    found = []
    level = [root]
    while level:
        found += level
        families = [(path, client.get_children_async(path)) for path in level]
        level = [join(path, name) for path, answer in families for name in answer.get()]
    return found


# Exporting


def export_obviously(client: KazooClient, root: str, name: str, indent: str = "") -> str:
    """Return the text of a subtree, one call after another."""
    data, stat = client.get(root)
    if stat.ephemeralOwner:
        return ""
    text = render(name, data, indent)
    for child in sorted(client.get_children(root)):
        text += export_obviously(client, join(root, child), child, indent + "  ")
    return text


def export_best(client: KazooClient, root: str, name: str) -> str:
    """Return the text of a subtree that was read level by level."""
    nodes = read_best(client, root)
    lines = []
    for path in sorted(nodes, key=lambda path: path.split("/")):
        data, stat = nodes[path]
        if not stat.ephemeralOwner:
            below = path[len(root) :]
            own_name = path.rpartition("/")[2] if below else name
            lines.append(render(own_name, data, "  " * below.count("/")))
    return "".join(lines)


def render(name: str, data: bytes, indent: str) -> str:
    """Return the lines of one node: name and type, then properties and links."""
    properties = json.loads(data) if data else {}
    kind = properties.pop("type", None)
    lines = [f"{indent}/{name}" + (f" : {kind}" if kind else "")]
    for key, value in sorted(properties.items()):
        is_link = key.endswith(">")
        lines.append(f"{indent}  {key} {value}" if is_link else f"{indent}  {key} = {value!r}")
    return "".join(line + "\n" for line in lines)


# Importing: trees are what `zc.zk.parse_tree` returns


def parse(text: str, root: str) -> Any:
    """Return the node at `root`, a child of the text's own root."""
    return zc.zk.parse_tree(text).children[root.removeprefix("/")]


def import_obviously(client: KazooClient, path: str, node: Any) -> int:
    """Make a subtree what `node` says, one call after another.

    Return the count of the nodes that `node` does not know.
    """
    try:
        data, _ = client.get(path)
    except NoNodeError:
        return create_obviously(client, path, node)
    if properties_of(data) != node.properties:
        client.set(path, encode(node.properties))
    extra = set(client.get_children(path)) - set(node.children)
    return len(extra) + sum(
        import_obviously(client, join(path, name), child) for name, child in node.children.items()
    )


def create_obviously(client: KazooClient, path: str, node: Any) -> int:
    client.create(path, encode(node.properties))
    for name, child in node.children.items():
        create_obviously(client, join(path, name), child)
    return 0


def create_best(client: KazooClient, nodes: Sequence[tuple[str, bytes]]) -> None:
    """Create nodes, parents first, in transactions that do not wait."""
    commits = []
    transaction, size = client.transaction(), 0
    for path, data in nodes:
        if len(transaction.operations) == BATCH or size + len(data) > BATCH_BYTES:
            commits.append(transaction.commit_async())
            transaction, size = client.transaction(), 0
        transaction.create(path, data)
        size += len(data)
    commits.append(transaction.commit_async())
    wait_for(commits)


def import_best(client: KazooClient, path: str, node: Any) -> int:
    """Make a subtree what `node` says, and count the nodes it does not know.

    The nodes that are there are read level by level, and the writes are transactions.
    """
    wanted = dict(flatten(path, node))
    try:
        found = read_best(client, path)
    except NoNodeError:
        found = {}
    missing = [(path, encode(wanted[path])) for path in wanted if path not in found]
    if missing:
        create_best(client, missing)
    changed = [
        (path, encode(wanted[path]))
        for path, (data, _) in found.items()
        if path in wanted and properties_of(data) != wanted[path]
    ]
    wait_for([client.set_async(path, data) for path, data in changed])
    return len(found.keys() - wanted.keys())


def properties_of(data: bytes) -> Properties:
    return dict(json.loads(data)) if data else {}


def flatten(path: str, node: Any) -> Iterator[tuple[str, Properties]]:
    """Return the paths and properties of a parsed tree, parents first."""
    yield path, node.properties
    for name, child in node.children.items():
        yield from flatten(join(path, name), child)


# Deleting


def delete_obviously(client: KazooClient, root: str) -> None:
    """Delete a subtree in kazoo's own way, one call after another."""
    client.delete(root, recursive=True)


def delete_best(client: KazooClient, root: str) -> None:
    """Delete a walked subtree in transactions, from the leaves up."""
    paths = walk_best(client, root)[::-1]
    commits = []
    for start in range(0, len(paths), BATCH):
        transaction = client.transaction()
        for path in paths[start : start + BATCH]:
            transaction.delete(path)
        commits.append(transaction.commit_async())
    wait_for(commits)


def wait_for(answers: Sequence[Any]) -> None:
    """Wait for asynchronous results, and raise the failures.

    Transactions are among them.
    """
    for answer in answers:
        result = answer.get()
        for outcome in result if isinstance(result, list) else ():
            if isinstance(outcome, Exception):
                raise outcome
