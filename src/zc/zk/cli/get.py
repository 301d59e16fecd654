"""`zk get`: the data of a node, or one property of it."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser
from zc.zk.cli.failures import Failure
from zc.zk.cli.output import STANDARD, is_terminal, print_line, write, write_text
from zc.zk.cli.reports import CONNECTION_AND_PATH, connection_and_path, for_reading
from zc.zk.codec import is_storable
from zc.zk.imports import Later
from zc.zk.links import as_told, stored_name

if TYPE_CHECKING:
    import json

    from zc.zk.operations import reading
    from zc.zk.session.session import Session
    from zc.zk.tree import facts
else:
    # --help needs none of them, and data as they are no JSON.
    json = Later("json")
    reading, facts = Later("zc.zk.operations.reading"), Later("zc.zk.tree.facts")

USAGE = "[-l] [--property NAME] [-o FILE] [options] [CONNECTION] PATH"
DETAILS = f"""\
{CONNECTION_AND_PATH}. The data are written as they are, byte for byte; to a terminal as text whose
control characters are escaped. With --property it is one property of the node: a string as it is,
any other value as JSON, with an end of line on standard output. A property link is followed, unless
NAME ends with its arrow."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice
--property threads zookeeper.example.com:2181 /fooservice
-o key.der zookeeper.example.com:2181 /fooservice/key
-l zookeeper.example.com:2181 /fooservice"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.first)
    parser.add_argument(
        "--property", metavar="NAME", type=as_told, help="write this property of the node"
    )
    parser.add_argument(
        "-l", "--long", action="store_true", help="tell version, times and all else behind it"
    )
    parser.add_output_argument()
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, path = connection_and_path(options)
    with connect.session(options, connection) as session:
        if options.property is None:
            node = reading.read_node(session, path)
            data, members = node.data or "", facts.data_members(node.data)
        else:
            node, value = _property(session, path, options.property)
            data = value if isinstance(value, str) and is_storable(value) else json.dumps(value)
            members = {"property": options.property, "value": value}
    if options.format == "json":
        everything = {**facts.as_members(node.path, node.stat), **members}
        write_text(options.output, [f"{json.dumps(everything)}\n"])
        return 0
    _write(options, data)
    if options.long:
        for line in facts.as_lines(node.path, node.stat, time.time()):
            print_line(line)
    return 0


def _property(session: Session, path: str, name: str) -> tuple[reading.Node, Any]:
    try:
        return reading.read_property(session, path, stored_name(name))
    except LookupError:
        raise Failure(f"there is no property {name!r} at {path}") from None


def _write(options: Namespace, data: str) -> None:
    """Write data as they are; where people read them, in lines that are complete."""
    is_read = options.output == STANDARD and is_terminal(sys.stdout)
    if is_read:
        for line in for_reading(data).split("\n"):
            print_line(line.replace("\t", "    "))
        return
    content = data.encode("utf-8", "surrogateescape")
    # Behind it comes more, or another property.
    is_line = options.output == STANDARD and (options.long or options.property is not None)
    end = b"\n" if is_line and not content.endswith(b"\n") else b""
    write(options.output, [content + end])
