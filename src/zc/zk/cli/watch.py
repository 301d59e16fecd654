"""`zookeeper_watch`: a line a change of a node's children and properties."""

from __future__ import annotations

import logging
import queue
import select
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk import codec
from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser
from zc.zk.cli.output import print_line, tell
from zc.zk.cli.reports import connection_and_paths
from zc.zk.cli.treefollowing import TreeFollower
from zc.zk.errors import BadPropertyLink
from zc.zk.naturalorder import sorted_naturally
from zc.zk.session.state import CONNECTION_LOST
from zc.zk.tree.changes import SetData

if TYPE_CHECKING:
    from zc.zk.client import ZooKeeper
    from zc.zk.watching.children import Children
    from zc.zk.watching.properties import Properties

USAGE = "[-c] [-p] [-R] [options] [CONNECTION] PATH..."
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. PATHs are the nodes to follow; symbolic
links are followed, and so are property links. With -R it is all nodes below PATHs, too, by one
watch each; property links are not followed then. The first lines tell what is there, as if it came
just then; the others what changes, until you interrupt it. Connections and sessions may be lost in
the meantime: what has changed then is told afterwards."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice/providers
-p zookeeper.example.com:2181 /fooservice /barservice"""

_STATES = {
    zookeeper.CONNECTING_STATE: "the connection is lost",
    zookeeper.CONNECTED_STATE: "connected again",
}

# How often (seconds) to look whether somebody still reads what is written.
LOOK_SECONDS = 0.5


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.every)
    parser.add_argument("-c", "--children", action="store_true", help="follow the children only")
    parser.add_argument("-p", "--properties", action="store_true", help="the properties only")
    parser.add_argument(
        "-R", "--recursive", action="store_true", help="follow all nodes below them, too"
    )
    parser.add_argument(
        "--changes", action="store_true", help="do not tell what is there at the beginning"
    )
    parser.add_argument("--no-time", action="store_true", help="lines without date and time")
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, paths = connection_and_paths(options)
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    with connect.client(options, connection) as zk, _not_told_twice():
        zk.set_watcher(partial(_tell_of_session, options.name))
        follower = _tree_follower if options.recursive else _Follower
        followers = [follower(zk, path, options, lines) for path in paths]
        if options.changes:
            while not lines.empty():
                lines.get()
        _print_until_nobody_reads(lines, timed=not options.no_time)
        del followers
    return 0


@contextmanager
def _not_told_twice() -> Iterator[None]:
    """Drop log records about a lost connection, which this command tells itself."""

    def is_news(record: logging.LogRecord) -> bool:
        return CONNECTION_LOST not in record.getMessage()

    logger = logging.getLogger("zc.zk")
    logger.addFilter(is_news)
    try:
        yield
    finally:
        logger.removeFilter(is_news)


def _tell_of_session(name: str, handle: int, type: int, state: int, path: str) -> None:
    if state in _STATES:
        tell(name, _STATES[state])


def _tree_follower(
    zk: ZooKeeper, path: str, options: Namespace, lines: queue.SimpleQueue[str]
) -> TreeFollower:
    return TreeFollower(
        zk,
        path,
        lines.put,
        children=options.children or not options.properties,
        properties=options.properties or not options.children,
    )


class _Follower:
    """Follows one node, and writes down what changes."""

    def __init__(
        self, zk: ZooKeeper, path: str, options: Namespace, lines: queue.SimpleQueue[str]
    ) -> None:
        self.path = path
        self.lines = lines
        # The first call comes in our thread and later ones do not.
        self.lock = threading.Lock()
        self.names: set[str] = set()
        self.values: dict[str, Any] = {}
        self.is_gone = False
        everything = options.children == options.properties
        self.live: list[Children | Properties] = []
        if everything or options.properties:
            self.live.append(zk.properties(path)(self.note_properties))
        if everything or options.children:
            self.live.append(zk.children(path)(self.note_children))

    def note_children(self, children: Children | None = None) -> None:
        with self.lock:
            if self.note_presence(children is not None):
                names = set(children or ())
                for name in sorted_naturally(self.names - names):
                    self.lines.put(f"{self.path} remove child {name}")
                for name in sorted_naturally(names - self.names):
                    self.lines.put(f"{self.path} add child {name}")
                self.names = names

    def note_properties(self, properties: Properties | None = None) -> None:
        with self.lock:
            if self.note_presence(properties is not None):
                assert properties is not None
                values = _values(properties)
                for line in _changes(self.path, self.values, values):
                    self.lines.put(line)
                self.values = values

    def note_presence(self, is_there: bool) -> bool:
        """Tell, once for both objects, that the node is gone."""
        if not is_there and not self.is_gone:
            self.lines.put(f"{self.path} deleted")
            self.names, self.values = set(), {}
        self.is_gone = not is_there
        return is_there


def _values(properties: Properties) -> dict[str, Any]:
    """Return the properties, links as they stand and the values they lead to."""
    values = properties.data
    for name in properties:
        try:
            values[name] = properties[name]
        except BadPropertyLink:
            pass
    return values


def _changes(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    change = SetData(path, codec.as_read(old), codec.as_read(new), 0)
    if change.old != change.new:
        yield from change.lines()


def _print_until_nobody_reads(lines: queue.SimpleQueue[str], *, timed: bool) -> None:
    reader = select.poll()
    try:
        if sys.stdout is not None:
            reader.register(sys.stdout, 0)
    except (TypeError, OSError):
        pass  # no file: something that a program has put in its place
    while True:
        try:
            line = lines.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            if reader.poll(0):
                raise BrokenPipeError from None
            continue
        now = time.strftime("%Y-%m-%d %H:%M:%S ") if timed else ""
        print_line(now + line)
