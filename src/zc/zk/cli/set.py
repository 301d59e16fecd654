"""`zk set`: replace a node's data, byte for byte."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace

import zookeeper
from zc.zk.cli import connect
from zc.zk.cli.arguments import Parser, connection_and_rest
from zc.zk.cli.failures import Failure, Misuse
from zc.zk.cli.firstwords import first_path
from zc.zk.cli.input import read_data
from zc.zk.cli.output import print_json, print_line, telling_what_was_done
from zc.zk.links import as_told
from zc.zk.operations.real import at_node
from zc.zk.operations.setdata import as_bytes, set_data
from zc.zk.session.session import Session
from zc.zk.tree.changes import SetData

USAGE = "[-d] [--version N] [-f FILE] [--format FORMAT] [options] [CONNECTION] PATH [DATA]"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. PATH is the node, which must exist;
symbolic links are followed. DATA is text, which is written as UTF-8; '' is no data. Behind -- it
may begin with a dash. With -f it comes from a file, byte for byte. Whatever the node had is
replaced: set_property changes single properties, and edit opens an editor."""
EXAMPLES = """\
zookeeper.example.com:2181 /motd 'Back at nine'
--version 7 -f motd.txt zookeeper.example.com:2181 /motd"""

# The largest version, of 32 bits.
MAX_VERSION = (1 << 31) - 1


def add_arguments(parser: Parser) -> None:
    parser.add_words()
    parser.add_data_argument("data")
    add_version_argument(parser, "write only if the node has this version (stat tells it)")
    parser.add_dry_run_argument("print what would be changed, and change nothing")
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, words = connection_and_rest(options, 2)
    path, data = first_path(words), data_of(options, words[1:])
    if data is None:
        raise Misuse("which data? DATA or -f FILE is missing; '' is no data")
    with connect.session(options, connection) as session:
        if options.dry_run:
            _show(options, session, path, data)
            return 0
        try:
            written = set_data(session, path, data, options.version)
        except zookeeper.BadVersionException as conflict:
            raise Failure(f"{conflict}: it has another version than {options.version}") from None
        if options.format == "json":
            with telling_what_was_done(f"{written.path} was written"):
                print_json(_told(written.path, written.version - 1, written.version, data))
    return 0


def add_version_argument(parser: Parser, what: str) -> None:
    """Add the argument for the version that a node has to have."""
    parser.add_argument("--version", type=version, default=-1, metavar="N", help=what)


def version(text: str) -> int:
    """Return an argument that is a node's version."""
    if text.isdecimal() and text.isascii() and len(text) <= 10 and int(text) <= MAX_VERSION:
        return int(text)
    raise ArgumentTypeError(f"not a version, a number from 0: {text!r}")


def data_of(options: Namespace, words: list[str]) -> str | bytes | None:
    """Return the data of the arguments, a word or a file; None without. Raises Misuse."""
    if options.file is not None and words:
        raise Misuse("-f FILE, and DATA as well; --help tells more")
    if options.file is not None:
        return read_data(options.file)
    return as_told(words[0]) if words else None


def _show(options: Namespace, session: Session, path: str, data: str | bytes) -> None:
    """Print what would be changed. Raises BadVersionException."""

    def read(real_path: str) -> tuple[str, str | None, int]:
        found, stat = session.call(session.binding.get, real_path)
        return real_path, found, stat["version"]

    real_path, found, now = at_node(session, path, read)
    session.call(session.binding.check_operations, [("set", real_path, data, -1)])
    if options.version not in (-1, now):
        raise Failure(f"{real_path} has the version {now}, and not {options.version}")
    if options.format == "json":
        print_json(_told(real_path, now, now + 1, data))
    elif as_bytes(found) != as_bytes(data):
        text = data.decode("utf-8", "surrogateescape") if isinstance(data, bytes) else data
        for line in SetData(real_path, found, text, now).lines():
            print_line(line)


def _told(path: str, before: int, after: int, data: str | bytes) -> dict[str, object]:
    return {
        "path": path,
        "version_before": before,
        "version": after,
        "bytes": len(as_bytes(data) or b""),
    }
