"""`zookeeper_graph`: services and the links between them, as a picture."""

from __future__ import annotations

import sys
from argparse import Namespace

from zc.zk import graphvis
from zc.zk.cli import nodewords
from zc.zk.cli.arguments import Parser, connection_and_rest, node_path
from zc.zk.cli.failures import INCOMPLETE, Misuse
from zc.zk.cli.input import read_tree
from zc.zk.cli.output import STANDARD, is_terminal, tell, write
from zc.zk.cli.skipped import Skipped
from zc.zk.cli.subtree import tree_text
from zc.zk.links import as_told
from zc.zk.tree.parse import parse_tree

DOT = "dot"

USAGE = "[--live] [-o FILE] [options] [CONNECTION] [PATH]"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between, and PATH the part of the tree that is
drawn, by default all. Boxes are nodes with providers, with a type, or with links; broken links are
red. SVG, PNG and PDF need Graphviz; dot, which is its language, does not."""
EXAMPLES = """\
--live -o system.svg zookeeper.example.com:2181
--tree tree.txt -o system.png --title 'As planned'"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.none)
    parser.add_argument(
        "--tree",
        metavar="FILE",
        help="draw the tree in this file (text, JSON or YAML; - is standard input), not a server's",
    )
    parser.add_argument("--live", action="store_true", help="tell how many providers there are now")
    parser.add_argument(
        "--title", type=as_told, default="", metavar="TEXT", help="write this above the picture"
    )
    parser.add_skip_argument()
    parser.add_output_argument()
    parser.add_argument(
        "--format",
        choices=[DOT, *graphvis.PICTURE_FORMATS],
        help="the format of the output (default: by the extension of its name, and else dot)",
    )
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    format = options.format or _format_of(options.output)
    if format in ("png", "pdf") and options.output == STANDARD and is_terminal(sys.stdout):
        raise Misuse(f"{format} is nothing for a terminal: -o FILE")
    skipped = Skipped(options.name)
    if options.tree is not None:
        if options.live or len(options.words) > 1:
            raise Misuse("with --tree there is neither CONNECTION nor --live")
        path, tree = _top(options.words), read_tree(options.tree, None)
    else:
        connection, words = connection_and_rest(options, 1)
        # All of it, as links may lead anywhere.
        text = tree_text(options, connection, "/", skipped, ephemeral=options.live)
        path, tree = _top(words), parse_tree(text)
    system = graphvis.system(tree, path)
    if not system.units:
        tell(options.name, "nothing to draw: no node has providers, a type or links")
    source = graphvis.dot(system, live=options.live, title=options.title)
    drawn = source.encode() if format == DOT else graphvis.picture(source, format)
    write(options.output, [drawn])
    return INCOMPLETE if skipped.conclude() else 0


def _top(words: list[str]) -> str:
    return node_path(words[0]) if words else "/"


def _format_of(file: str) -> str:
    extension = file.lower().rpartition(".")[2]
    return extension if extension in graphvis.PICTURE_FORMATS else DOT
