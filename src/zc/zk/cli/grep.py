"""`zk grep`: the lines of nodes' data that match a regular expression."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError, Namespace
from itertools import islice

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser, connection_and_rest, node_path
from zc.zk.cli.criteria import add_criteria, regular_expression, selection
from zc.zk.cli.failures import Misuse
from zc.zk.cli.output import print_json, print_line, tell
from zc.zk.cli.progress import looking
from zc.zk.cli.reports import CONNECTION_AND_TOP, Unreadable, for_reading, selected
from zc.zk.operations import listing
from zc.zk.tree import matching
from zc.zk.tree.facts import as_json

USAGE = "[-i] [-F] [-l] [-e REGEX] [--name PATTERN] ... [CONNECTION] REGEX [PATH]"
DETAILS = f"""\
{CONNECTION_AND_TOP}
REGEX is a regular expression of Python's. Of this node and all below, the lines of the data that
match somewhere are printed behind the node's path; a long line is cut to what is around the first
match. As JSON a line that is no text is an object, {{"base64": "..."}}. Nothing found is exit
status 1, as of grep(1). Nodes that may not be read are told of, and make it 4."""
EXAMPLES = """\
zookeeper.example.com:2181 '10[.]0[.]0[.]42' /fooservice
-l -i --name main zookeeper.example.com:2181 postgres"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.behind_expression)
    parser.add_argument(
        "-e", "--regexp", metavar="REGEX", help="the expression, where it looks like a CONNECTION"
    )
    parser.add_argument("-i", "--ignore-case", action="store_true", help="A is as good as a")
    parser.add_argument(
        "-F", "--fixed", action="store_true", help="look for the text REGEX as it stands"
    )
    parser.add_argument("-l", "--paths", action="store_true", help="print nothing but paths")
    add_criteria(parser)
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, pattern, path = _words(options)
    unreadable = Unreadable(options.name)
    count = 0
    with connect.session(options, connection) as session, looking() as bar:
        nodes = listing.select(
            session,
            path,
            selection(options, pattern),
            lambda data: matching.excerpts(data or "", pattern),
            depth=options.depth,
            progress=bar,
        )
        for found, lines in islice(selected(nodes, unreadable), options.limit):
            count += 1
            if options.format == "json":
                told = None if lines is None else list(map(as_json, lines))
                print_json({"path": found.path, "lines": told})
            elif options.paths:
                print_line(found.path)
            else:
                for line in lines or ():
                    print_line(f"{found.path}: {for_reading(line)}")
    status = unreadable.status()
    if not count and not status:
        tell(options.name, "nothing matches")
        return 1
    return status


def _words(options: Namespace) -> tuple[str, re.Pattern[str], str]:
    """Return the connection, the expression and the path."""
    most = 1 if options.regexp is not None else 2
    connection, words = connection_and_rest(options, most)
    text = options.regexp if options.regexp is not None else words.pop(0) if words else None
    if text is None:
        raise Misuse("look for what? REGEX is missing; --help tells more")
    try:
        pattern = regular_expression(text, ignore_case=options.ignore_case, is_fixed=options.fixed)
    except ArgumentTypeError as fault:
        raise Misuse(str(fault)) from None
    return connection, pattern, node_path(words[0] if words else "/")
