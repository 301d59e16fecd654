"""`zk lock`, `zookeeper_lock`: run a command while no other process of the fleet does."""

from __future__ import annotations

import threading
from argparse import Namespace

from zc.zk.cli import childprocess, connect, guardian
from zc.zk.cli.arguments import (
    FENCING_VARIABLE,
    Parser,
    connection_and_rest,
    node_path,
    seconds,
)
from zc.zk.cli.failures import Failure, Misuse
from zc.zk.cli.numbers import span
from zc.zk.cli.output import tell
from zc.zk.cli.permissions import add_acl_arguments, has_auth
from zc.zk.operations.lock import Lock
from zc.zk.operations.real import at_place

USAGE = (
    "[--wait TIME | --no-wait] [--session-timeout SECONDS] [--grace SECONDS]\n   "
    " [-p PERM | --acl ENTRIES] [options] [CONNECTION] PATH -- COMMAND..."
)
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. PATH is the node of the lock, which is
made if need be; what is above it must exist. Those who want the lock get it one after the other, in
the order in which they came. COMMAND runs while the lock is held, and its exit status is passed on,
as are signals to it.

COMMAND finds a number in the variable ZC_ZK_FENCING_NUMBER, which is larger for each later holder:
what COMMAND writes to can remember the largest, and refuse those that come with a smaller one.

The lock is lost with the session, when somebody deletes its node, and when there has been no
connection for a third of the session timeout, as then another process may soon have it. COMMAND
gets SIGTERM then, and SIGKILL after --grace seconds. It also ends when zk does, be it by kill -9,
and when zk hangs or is stopped. Without a terminal COMMAND is a process group of its own, all of
which is ended.

exit status, besides that of COMMAND: 124 not obtained in time, 125 lost while COMMAND ran, 126 it
cannot be executed, 127 no such program."""
EXAMPLES = """\
zookeeper.example.com:2181 /locks/nightly -- ./nightly.sh --all
--no-wait zookeeper.example.com:2181 /locks/deploy -- make deploy"""

NOT_OBTAINED, LOST = 124, guardian.LOST

DEFAULT_SESSION_SECONDS = 30.0
DEFAULT_GRACE_SECONDS = 5.0


class NotObtained(Failure):
    """Another process has the lock."""

    status = NOT_OBTAINED


def add_arguments(parser: Parser) -> None:
    parser.add_words()
    parser.add_command_words("--")
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--wait",
        type=span,
        metavar="TIME",
        help="give up when the lock is not obtained within so long, such as 90s, 2h or 1d12h"
        " (default: wait for it)",
    )
    group.add_argument(
        "--no-wait", action="store_true", help="give up at once if another process has the lock"
    )
    parser.add_argument(
        "--session-timeout",
        type=seconds,
        metavar="SECONDS",
        default=DEFAULT_SESSION_SECONDS,
        help="when a machine breaks down others get the lock after so long; as far as the servers"
        " grant it (default: %(default)g)",
    )
    parser.add_argument(
        "--grace",
        type=seconds,
        metavar="SECONDS",
        default=DEFAULT_GRACE_SECONDS,
        help="the time between SIGTERM and SIGKILL when the lock is lost (default: %(default)g)",
    )
    add_acl_arguments(parser)
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, words = connection_and_rest(options, 1)
    if not words:
        raise Misuse("which lock? PATH is missing; --help tells more")
    if not options.behind:
        raise Misuse("which command? `-- COMMAND` is missing; --help tells more")
    path = node_path(words[0])
    if path == "/":
        raise Misuse("the root cannot be a lock")
    if has_auth(options.acl):
        connect.require_identity(options)
    childprocess.require(options.behind)
    with connect.session(options, connection) as session:
        lock = Lock(session, at_place(session, path), options.acl)
        _acquire(options, lock)
        try:
            return _run(options, lock)
        finally:
            lock.release()


def _acquire(options: Namespace, lock: Lock) -> None:
    known: list[str] = []

    def told(node: str) -> None:
        if node not in known:
            known[:] = [node]
            if not options.no_wait:
                tell(options.name, f"waiting for {lock.path}, which {lock.holder(node)} has")

    if not lock.acquire(0.0 if options.no_wait else options.wait, told):
        raise NotObtained(f"{lock.path}: {lock.holder(known[0])} has it")


def _run(options: Namespace, lock: Lock) -> int:
    """Run the command, as long as the lock is held."""
    child = childprocess.Child(
        options.behind,
        {FENCING_VARIABLE: str(lock.fencing_number)},
        lease=lock.lease_seconds,  # it ends even if we hang, or are stopped
        grace=options.grace,
    )
    is_over = threading.Event()
    reasons: list[str] = []

    def watch() -> None:
        try:
            reason = lock.wait_until_lost(is_over.is_set, child.renew)
        except Exception as fault:  # without a guard COMMAND must not go on
            reason = f"unexpected {type(fault).__name__}: {fault}"
        if reason is not None:
            reasons.append(reason)
            tell(options.name, f"{lock.path} is lost: {reason}; the command is ended")
            child.end(options.grace)

    thread = threading.Thread(target=watch, name="zc.zk lock", daemon=True)
    thread.start()
    try:
        status = child.wait()
    finally:
        is_over.set()
        lock.note_over()
        thread.join()
        child.close()
    return LOST if reasons else status
