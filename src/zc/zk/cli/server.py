"""`zookeeper_server`: a server for development and tests."""

from __future__ import annotations

import resource
import signal
from argparse import Namespace
from typing import TYPE_CHECKING

from zc.zk.cli import serversecurity
from zc.zk.cli.arguments import Parser
from zc.zk.cli.failures import Failure
from zc.zk.cli.input import read_tree
from zc.zk.cli.listening import host, port
from zc.zk.cli.output import print_line, tell
from zc.zk.testing.server import LOOPBACK, Server
from zc.zk.testing.snapshot import SAVE_SECONDS, SnapshotError

if TYPE_CHECKING:
    from zc.zk.testing.tls import ServerTLS
    from zc.zk.tree.model import ParseNode

USAGE = "[--port PORT] [--tree FILE] [--data FILE] [--tls FOLDER] [--sasl FILE] [options]"
DETAILS = """\
It speaks ZooKeeper's protocol, to clients of any kind, and behaves as a ZooKeeper 3.8 that is
alone. It is for development and tests: for real work run a ZooKeeper ensemble.

It prints `listening on HOST:PORT` once clients can connect, and ends with status 0 when it is
interrupted or terminated. Without --data everything is forgotten then.

All who can reach the address can read and change everything that no ACL protects. By default these
are all who work on this machine, and nobody else. With --tls and --require-auth it serves only
those who prove who they are."""
EXAMPLES = """\
--tree tree.txt
--port 0 --data /tmp/zookeeper
--tls certificates --sasl users --require-auth sasl"""

DEFAULT_PORT = 2181

# An end that is asked for; what is in --data is up to date then.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--port",
        type=port,
        default=DEFAULT_PORT,
        help="where to listen, 0 for any port that is free (default: %(default)s)",
    )
    parser.add_argument(
        "--host",
        type=host,
        default=LOOPBACK,
        help="where to listen; any but the default lets other machines in (default: %(default)s)",
    )
    parser.add_argument(
        "--tree",
        metavar="FILE",
        help="import this tree at the start; - is standard input",
    )
    parser.add_format_argument("tree")
    parser.add_argument(
        "--data",
        metavar="FILE",
        help="keep nodes and sessions in this file: it is read at the start if it is there, and"
        f" replaced every {SAVE_SECONDS:.0f} seconds, if something has changed, and at the end;"
        f" kill -9 loses up to {SAVE_SECONDS:.0f} seconds of what was acknowledged, more if the"
        " file is large and takes long",
    )
    serversecurity.add_security_arguments(parser)


def run(options: Namespace) -> int:
    serversecurity.require_sense(options)
    tree = read_tree(options.tree, options.format) if options.tree else None
    tell(options.name, "for development and tests; for real work run a ZooKeeper ensemble")
    tls = serversecurity.tls(options)
    users = serversecurity.users(options.sasl) if options.sasl is not None else None
    _allow_as_many_connections_as_possible()
    # Now, for threads begin with the mask of who starts them, and any could get the signal.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        server = _server(options, tls, users)
        if tree is not None:
            _plant(server, tree)
        with server:
            if tls is not None:
                tell(options.name, f"clients need {serversecurity.needs(tls, options.tls)}")
            print_line(f"listening on {server.connection_string}")
            signal.sigwait(ENDING)
    except SnapshotError as fault:
        raise Failure(str(fault)) from fault
    except OSError as fault:
        raise Failure(f"cannot listen on {fault.strerror}") from fault
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return 0


def _server(options: Namespace, tls: ServerTLS | None, users: dict[str, str] | None) -> Server:
    try:
        return Server(
            options.port,
            host=options.host,
            data=options.data,
            tls=tls,
            sasl=users,
            require_auth=options.require_auth,
        )
    except ValueError as fault:
        raise Failure(str(fault)) from fault


def _plant(server: Server, tree: ParseNode) -> None:
    """Import a tree, as any client would, before there are others."""
    from zc.zk.acl import OPEN_ACL_UNSAFE
    from zc.zk.operations import import_
    from zc.zk.session.session import Session
    from zc.zk.testing.emulation import Emulation

    emulation = Emulation(engine=server.engine)
    session = Session(emulation.connection_string, binding=emulation.binding)
    try:
        session.open()
        import_.import_tree(
            session, tree, "/", acl=OPEN_ACL_UNSAFE, options=import_.Options(trim=False)
        )
    finally:
        session.close()


def _allow_as_many_connections_as_possible() -> None:
    """Raise the limit of file descriptors, often a thousand, one a connection."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
