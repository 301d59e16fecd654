"""Testing without a ZooKeeper service.

There are two servers in here, for tests and for development: an emulation within the process, for
doctests and unittests, and one that listens on a port, for everything else. They behave as a
ZooKeeper 3.8 that is alone does; the project's tests compare them with one. For real work run
ZooKeeper.


Doctests and unittests
======================

`setUp` and `tearDown` are for suites of doctests::

    suite = doctest.DocFileSuite(
        "service.txt", setUp=zc.zk.testing.setUp, tearDown=zc.zk.testing.tearDown)

and for the methods of the same names of a `unittest.TestCase`, called with `self`. In between, the
module `zookeeper` reaches an emulated server:

    >>> import zc.zk
    >>> zk = zc.zk.ZooKeeper("zookeeper.example.com:2181")
    >>> zk.print_tree("/fooservice")
    /fooservice
      database = '/databases/foomain'
      favorite_color = 'red'
      threads = 1
      /providers

That is the tree there is unless `setUp` was given another one as text, and that the connection
string that leads to it unless `setUp` was given another one. Servers on this machine, at loopback
addresses or localhost, are reached as ever, so that a test can have a `Server` besides; all other
connection strings lead to no server.

Watches are delivered before the call that changes something returns, and so are the completions of
asynchronous calls. There is nothing to wait for:

    >>> providers = zk.children("/fooservice/providers")
    >>> @providers
    ... def changed(providers):
    ...     print(sorted(providers))
    []
    >>> registration = zk.register("/fooservice/providers", "1.2.3.4:80")
    ['1.2.3.4:80']

The global `ZooKeeper` is the emulated server (an attribute of a TestCase). Bad days can be had from
it; `sessions` has the open handles by number, the first of which is 0:

    >>> ZooKeeper.sessions[0].disconnect()
    >>> zk.get("/fooservice")
    Traceback (most recent call last):
    ...
    zookeeper.ConnectionLossException: connection loss: /fooservice
    >>> ZooKeeper.sessions[0].connect()
    >>> ZooKeeper.sessions[0].expire()
    ['1.2.3.4:80']
    >>> zk.get_children("/fooservice/providers")
    ['1.2.3.4:80']

Here `changed` was called because anything might have happened while there was no session. The
client has opened a new one and registered the service again.

Time is under control where it matters, for nodes with a time to live, containers and sessions of
clients that are disconnected: `ZooKeeper.advance(seconds)` puts the server's clock forward, after
`ZooKeeper.stop_clock()` nothing else does.

    >>> import zookeeper
    >>> handle = zookeeper.init("zookeeper.example.com:2181")
    >>> path = zookeeper.create(
    ...     handle, "/brief", "", zc.zk.OPEN_ACL_UNSAFE, zookeeper.PERSISTENT_WITH_TTL, ttl=5000)
    >>> ZooKeeper.advance(6)
    >>> zookeeper.exists(handle, "/brief")

A client of other servers waits for them. `ZooKeeper._allow_connection(connection_string)` lets it
in:

    >>> waiting = zookeeper.init("elsewhere.example.com:2181")
    >>> zookeeper.state(waiting) == zookeeper.CONNECTED_STATE
    False
    >>> ZooKeeper._allow_connection("elsewhere.example.com:2181")
    >>> zookeeper.state(waiting) == zookeeper.CONNECTED_STATE
    True

`assert_(condition)` and `wait_until(function)`, which calls the function until its result is true,
are there as well. A suite that uses `wait_until` where it depends on watches runs on a real server
too: set TEST_ZOOKEEPER_CONNECTION to its `host:port`. Each test then has a new node of that server
as its root, which is removed at the end, and `ZooKeeper` is None.

    >>> zookeeper.close(handle), zookeeper.close(waiting)
    (0, 0)
    >>> zk.close()


A server on a port
==================

`Server` speaks ZooKeeper's protocol to any client of it: this library, kazoo, Java's.

    >>> from zc.zk.testing import Server
    >>> with Server() as server:
    ...     print(server.connection_string)  # doctest: +ELLIPSIS
    127.0.0.1:...

It listens on loopback on a port that was free. `cut`, `stall`, `refuse` and `expire` make bad days;
see help(zc.zk.testing.Server). The command `zookeeper_server` is the same for a shell.

It can want TLS, with certificates that `certificates` makes, and users who log in by SASL:

    >>> import tempfile
    >>> from zc.zk.testing import certificates
    >>> folder = tempfile.TemporaryDirectory()
    >>> made = certificates(folder.name)
    >>> with Server(tls=made.server_tls, sasl={'app': 'secret'}) as server:
    ...     with zc.zk.ZooKeeper(server.connection_string, tls=made.client_tls) as zk:
    ...         zk.get_children('/')
    ['zookeeper']
    >>> folder.cleanup()

For pytest there are fixtures in `zc.zk.testing.pytest_plugin`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zc.zk.testing.authority import Certificates, certificates
    from zc.zk.testing.emulation import Emulation
    from zc.zk.testing.server import Server
    from zc.zk.testing.suites import setUp, tearDown, testing_with_real_zookeeper
    from zc.zk.testing.tls import ServerTLS
    from zc.zk.testing.waiting import assert_, wait_until

__all__ = [
    "Certificates",
    "Emulation",
    "Server",
    "ServerTLS",
    "assert_",
    "certificates",
    "setUp",
    "tearDown",
    "testing_with_real_zookeeper",
    "wait_until",
]

# Imported when they are first asked for: a server that listens on a port starts without the
# emulation, and a suite of doctests without asyncio.
_MODULES = {
    "Certificates": "authority",
    "Emulation": "emulation",
    "Server": "server",
    "ServerTLS": "tls",
    "assert_": "waiting",
    "certificates": "authority",
    "setUp": "suites",
    "tearDown": "suites",
    "testing_with_real_zookeeper": "suites",
    "wait_until": "waiting",
}


def __getattr__(name: str) -> Any:
    try:
        module = import_module(f"{__name__}.{_MODULES[name]}")
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
