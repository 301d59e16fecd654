"""`zookeeper_validate`: look for faults in files before they are imported."""

from __future__ import annotations

from argparse import Namespace

from zc.zk.cli.arguments import Parser
from zc.zk.cli.failures import Failure
from zc.zk.cli.input import read_tree
from zc.zk.cli.output import tell

USAGE = "[--format FORMAT] [FILE...]"
DETAILS = """\
FILE has a tree, as text, JSON or YAML; it is standard input if it is - or left out. Of a file that
cannot be imported the first fault is reported, with its line."""
EXAMPLES = """\
tree.txt
--format json < tree"""


def add_arguments(parser: Parser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="what to check")
    parser.add_format_argument("files")


def run(options: Namespace) -> int:
    status = 0
    for file in options.files or ["-"]:
        try:
            read_tree(file, options.format)
        except Failure as failure:
            tell(options.name, str(failure))
            status = failure.status
    return status
