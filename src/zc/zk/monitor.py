"""Ask a process which servers it has registered, and whether they answer.

A server that leaves the choice of its port to the system is hard to watch over: nobody knows where
it is but ZooKeeper, and ZooKeeper does not know which of the servers is the one on this machine.
So the process itself tells, on a port, or rather a Unix socket, that is known beforehand:

    zc.zk.event.notify = zc.zk.monitor.notify     # or by zope.event, or by monitor.zcml
    monitor = zc.zk.monitor.start('/run/shop/monitor.sock')

    $ python -m zc.zk.monitor get_addr /run/shop/monitor.sock /shop/providers
    192.168.0.42:40123
    $ python -m zc.zk.monitor check /run/shop/monitor.sock /shop/providers && echo up
    up

`check` and `get_addr` are for programs that watch over others: they say on standard output what
they found and end the process with 1 when something is wrong.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import json
import logging
import os
import socket
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn, Protocol

from zc.zk.errors import printable
from zc.zk.event import RegisteringServer
from zc.zk.imports import importing
from zc.zk.lineserver import LOOPBACK, LineServer, ask
from zc.zk.registration.address import parse_addr

logger = logging.getLogger("zc.zk.monitor")

# The monitor, or a server, that has not answered for so long does not answer.
PATIENCE_SECONDS = 5.0


class _Known(NamedTuple):
    """A server that was registered, and the facts that `servers` tells of it."""

    event: RegisteringServer
    told: dict[str, Any]


# By path and address, in the order of registration. Used in single steps, without a lock: servers
# are registered in finalisers and signal handlers, too.
_registered: dict[tuple[str, str], _Known] = {}


class Writable(Protocol):
    def write(self, text: str, /) -> object: ...


def notify(event: object) -> None:
    """Remember a server that is being registered; ignore events of other kinds."""
    if isinstance(event, RegisteringServer):
        told = {
            "path": event.path,
            "pid": event.properties.get("pid", os.getpid()),
            "address": event.name,
        }
        _forget_withdrawn()
        _registered[event.path, event.name] = _Known(event, told)


def _forget_withdrawn() -> None:
    for key, known in list(_registered.items()):
        if known.event.is_withdrawn:
            forgotten = _registered.pop(key, known)
            if not forgotten.event.is_withdrawn:
                # Another thread has just registered it again.
                _registered.setdefault(key, forgotten)


def servers(connection: Writable, path: str | None = None) -> None:
    """Tell which servers this process has registered.

    With a path, the addresses at that path, one in a line. Without, all of them in a line of JSON:
    a list of objects with `path`, `pid` and `address`, in the order of registration. Servers that
    were unregistered are left out; those of a client that was closed are not.
    """
    known = [each.told for each in list(_registered.values()) if not each.event.is_withdrawn]
    if path is None:
        connection.write(f"{json.dumps(known, default=str)}\n")
    else:
        connection.write("".join(f"{told['address']}\n" for told in known if told["path"] == path))


def metrics(connection: Writable) -> None:
    """Tell the figures of the clients that are measured, as Prometheus reads them.

    They are those of `zc.zk.metrics`, by which a program says which clients are to be measured.
    """
    with importing:
        from zc.zk.metrics.exposition import exposition
        from zc.zk.metrics.families import figures

    told = exposition(figures())
    connection.write(told or "# no client is measured: zc.zk.metrics.measure begins that\n")


def start(address: int | str) -> LineServer:
    """Start to answer `servers` and `metrics` at `address`; close the result at the end."""
    return LineServer(address, {"servers": servers, "metrics": metrics})


def check(arguments: Sequence[str] | None = None) -> None:
    """Exit with 1 unless all servers of a process at a path take connections.

    `arguments` are the address of the process's monitor and the path; by default those of this
    process. A blank host, in the monitor's address or in what is registered, is this machine.
    """
    for address in _addresses("check", arguments):
        try:
            host, port = parse_addr(address)
            socket.create_connection((host or LOOPBACK, port), PATIENCE_SECONDS).close()
        except (OSError, ValueError) as fault:
            logger.debug("Failed check", exc_info=True)
            _fail(f"{address}: {fault}")


def get_addr(arguments: Sequence[str] | None = None) -> None:
    """Print the addresses that a process has registered at a path, one in a line.

    Takes the same arguments as `check`. Exits with 1 when there are none.
    """
    for address in _addresses("get_addr", arguments):
        print(printable(address))


def _addresses(name: str, arguments: Sequence[str] | None) -> list[str]:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 2:
        sys.stderr.write(f"usage: {printable(name)} MONITOR PATH\n")
        raise SystemExit(2)
    monitor, path = given
    if len(path.split()) != 1:
        _fail(f"a path without blanks is needed, not {path!r}")
    # All of them, as that is never blank: a monitor that is busy hangs up without a word, which is
    # no reason to take the server for one that is not registered, and to start it again.
    try:
        answer = ask(monitor, "servers", PATIENCE_SECONDS)
        if not answer:
            raise ConnectionResetError("it has hung up without an answer, as when it is busy")
        addresses = [each["address"] for each in json.loads(answer) if each["path"] == path]
    except (OSError, ValueError) as fault:
        _fail(f"the monitor at {monitor}: {fault}")
    except (KeyError, TypeError):
        _fail(f"the monitor at {monitor}: it is none, by its answer")
    if not addresses:
        _fail(f"no server is registered at {path}")
    return addresses


def _fail(text: str) -> NoReturn:
    print(printable(text))
    raise SystemExit(1)


def main() -> None:
    """`python -m zc.zk.monitor check MONITOR PATH`, and the same with get_addr."""
    command = {"check": check, "get_addr": get_addr}.get("".join(sys.argv[1:2]))
    if command is None:
        sys.stderr.write("usage: python -m zc.zk.monitor check|get_addr MONITOR PATH\n")
        raise SystemExit(2)
    command(sys.argv[2:])


if __name__ == "__main__":
    main()
