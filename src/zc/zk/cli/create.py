"""`zk create`: create a node of any kind, or one for as long as a command runs."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace

import zookeeper
from zc.zk.cli import connect
from zc.zk.cli.arguments import Parser, connection_and_rest, node_path
from zc.zk.cli.failures import Failure, Misuse
from zc.zk.cli.firstwords import require_path
from zc.zk.cli.numbers import span
from zc.zk.cli.output import print_json, print_line, tell, telling_what_was_done
from zc.zk.cli.permissions import add_acl_arguments, has_auth
from zc.zk.cli.set import data_of
from zc.zk.links import as_told
from zc.zk.operations import create

USAGE = (
    "[--sequential] [--container | --ttl TIME] [--parents]\n   "
    " [-f FILE] [-p PERM | --acl ENTRIES] [--format FORMAT] [options]\n   "
    " [CONNECTION] PATH [DATA] [--ephemeral-while COMMAND...]"
)
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. The path of the new node is printed.
DATA is text, which is written as UTF-8, by default none; behind -- it may begin with a dash. With
-f it comes from a file, byte for byte. Symbolic links above the node are followed, and none is
replaced by a node: one that leads nowhere is an error, with --parents, too.

--ephemeral-while comes last, and what stands behind it is a command, whose exit status is passed
on. The node is registered: it is there while COMMAND runs, in later sessions, too, when one is
lost. COMMAND is ended when zk is, be it by kill -9. If there is such a node of another session,
COMMAND runs all the same, and the node is made when that is gone."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice
--sequential -f job.json zookeeper.example.com:2181 /queue/job-
--ttl 1h --acl auth::cdrwa zookeeper.example.com:2181 /leases/42
zookeeper.example.com:2181 /foo/providers/10.0.0.7:80 --ephemeral-while ./server --port 80"""

WHILE = "--ephemeral-while"

# Servers keep milliseconds in 40 bits.
MAX_TTL_SECONDS = ((1 << 40) - 1) // 1000


def add_arguments(parser: Parser) -> None:
    parser.add_words()
    parser.add_command_words(WHILE)
    parser.add_argument(
        "--sequential", action="store_true", help="add a number to the name, the next one there"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--container",
        action="store_true",
        help="have servers delete it some time after its last child has gone",
    )
    group.add_argument(
        "--ttl",
        type=ttl,
        metavar="TIME",
        help="have servers delete it when it has no children and was not changed for so long, such"
        " as 90s, 2h or 1d12h",
    )
    group.add_argument(
        WHILE, action="store_true", help="have the node for as long as the command behind this runs"
    )
    parser.add_argument(
        "--parents", action="store_true", help="create what is missing above it, without data"
    )
    parser.add_data_argument("data")
    parser.add_report_argument()
    add_acl_arguments(parser)
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, words = connection_and_rest(options, 2)
    require_path(words)
    data = data_of(options, words[1:])
    if has_auth(options.acl):
        connect.require_identity(options)
    kind = "container" if options.container else "persistent" if options.ttl is None else "ttl"
    node = create.NewNode(
        _path(options, words[0]),
        "" if data is None else data,
        options.acl,
        kind,
        options.ttl,
        options.sequential,
        options.parents,
    )
    if options.sequential and options.container and options.behind is None:
        raise Misuse("servers have no containers with numbers: --sequential or --container")
    if options.behind is not None:
        return _run_while(options, connection, node)
    with connect.session(options, connection) as session:
        try:
            made = create.create(session, node)
        except zookeeper.NoNodeException as missing:
            raise create.named_above(session, node.path, missing) from missing
        except zookeeper.UnimplementedException as refusal:
            raise Failure(_refusal(refusal, kind)) from refusal
        except zookeeper.SessionError as break_:
            if not break_.may_have_happened:
                raise
            raise Failure(
                f"{break_}: the node may have been created all the same: look for it"
            ) from break_
    with telling_what_was_done(f"{made} was created"):
        _tell(options, made, kind)
    return 0


def ttl(text: str) -> int:
    """Return an argument that is a time to live in milliseconds."""
    seconds = span(text)
    if seconds <= MAX_TTL_SECONDS:
        return max(1, round(1000 * seconds))
    raise ArgumentTypeError(f"servers keep no node for more than {MAX_TTL_SECONDS} s: {text!r}")


def _path(options: Namespace, word: str) -> str:
    path = node_path(word)
    if options.sequential and word.endswith("/"):
        return as_told(word)  # a name that is nothing but the number
    if path == "/" and not options.parents:
        raise Misuse("the root is there; with --parents that of CONNECTION is made")
    return path


def _refusal(refusal: zookeeper.ZooKeeperException, kind: str) -> str:
    if kind == "ttl":
        return (
            f"{refusal}: these servers make no nodes with a time to live:"
            " zookeeper.extendedTypesEnabled=true, which all of them have to be set up with, is"
            " what they need, from version 3.5.3 on"
        )
    return f"{refusal}: these servers make no nodes of the kind {kind!r}"


def _tell(options: Namespace, path: str, kind: str) -> None:
    if options.format == "json":
        print_json({"path": path, "kind": kind})
    else:
        print_line(path)


def _run_while(options: Namespace, connection: str, node: create.NewNode) -> int:
    """Run the command while the node is registered."""
    from zc.zk.cli import childprocess
    from zc.zk.operations.keeping import kept_ephemeral

    words = options.behind[1:] if options.behind[:1] == ["--"] else options.behind
    if not words:
        raise Misuse(f"which command? {WHILE} comes last, with a command behind it")
    if options.sequential or options.container or options.ttl is not None:
        raise Misuse(f"{WHILE} goes neither with --sequential nor with --container and --ttl")
    childprocess.require(words)
    with connect.client(options, connection) as zk:
        try:
            place = create.place_of(zk._session, node)
            stat = zk.exists(place)
            if stat is not None and not stat["ephemeralOwner"]:
                raise zookeeper.error(zookeeper.NODEEXISTS, place, "it is not ephemeral")
            with kept_ephemeral(zk._ephemerals, node.path, node.data, node.acl) as kept:
                _tell(options, kept.path, "ephemeral")
                if not kept.is_there:
                    waiting = f"{kept.path}: not yet there, {kept.state}: it is made later"
                    tell(options.name, waiting)
                return childprocess.Child(words).wait()
        except zookeeper.NoNodeException as missing:
            raise create.named_above(zk._session, node.path, missing) from missing
