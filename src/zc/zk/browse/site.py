"""The page's server: HTTP on one port, for reading only."""

from __future__ import annotations

import logging
import secrets
import socket
import sys
from collections.abc import Iterable
from socketserver import TCPServer
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.boundedserver import affordable
from zc.zk.browse.diagram import Diagram
from zc.zk.browse.hostnames import HostNames, checked, is_loopback, names_of_machine
from zc.zk.browse.places import Places
from zc.zk.browse.publishing import Publisher
from zc.zk.browse.request import Request, Served
from zc.zk.browse.token import Token
from zc.zk.browse.watchedtree import WatchedTree

if TYPE_CHECKING:
    from zc.zk.client import ZooKeeper

logger = logging.getLogger("zc.zk")

LOOPBACK = "127.0.0.1"
ANY_ADDRESS = ("", "0.0.0.0", "::")
DEFAULT_PORT = 2180
DEFAULT_LIMIT = 200_000

# Of these, so many may be without the page's key: programs, and sites elsewhere. And there are
# connections for short requests besides.
MAX_READERS = 100
MAX_READERS_WITHOUT_KEY = 20
MORE_CONNECTIONS = 28


class Site(Served):
    """Serves the page about what `zk`, a client, sees, at `host` and `port`.

    Port 0 takes one that is free. The page shows `limit` nodes at most. It answers to its address,
    to `localhost`, to this machine's name where other machines can reach it, and to the names in
    `allowed_hosts`. With a `token` it answers those alone who have it: a browser asks for it as for
    a password. Raises OSError when the address cannot be had, NoNodeException when the root of the
    client is not there, and ValueError for a token that is too short and for what is no name.
    """

    max_connections = MAX_READERS + MORE_CONNECTIONS

    def __init__(
        self,
        zk: ZooKeeper,
        host: str = LOOPBACK,
        port: int = DEFAULT_PORT,
        limit: int = DEFAULT_LIMIT,
        allowed_hosts: Iterable[str] = (),
        token: str | None = None,
    ) -> None:
        self.zk = zk
        self.host = host
        self.token = Token(token)
        names = ["localhost", *([host] if host else []), *map(checked, allowed_hosts)]
        if not is_loopback(host):
            names += names_of_machine(socket.gethostname())
        self.names = HostNames(names)
        self.publisher = Publisher()
        self.tree = WatchedTree(zk.watches, limit, self.publisher.note)
        self.diagram = Diagram(self.tree, lambda: self.publisher.version)
        connections = affordable(self.max_connections)
        most = max(1, connections * MAX_READERS // self.max_connections)
        self.places = Places(most, min(most, MAX_READERS_WITHOUT_KEY))
        self.key = secrets.token_urlsafe(16)
        # Pages that are still open know by this that it is another server that answers.
        self.run = secrets.token_urlsafe(8)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Request)
        try:
            self.tree.start()
        except BaseException:
            self.server_close()
            raise
        self.publisher.start(self.tree)
        zk.set_watcher(lambda *_: self.tell_status())
        self.tell_status()

    def server_bind(self) -> None:
        """Bind as HTTPServer does, without asking name servers for our own name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.host, self.server_address[1]

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.host in ANY_ADDRESS:
            host = socket.gethostname()
        return f"http://{host}:{self.server_port}/"

    def tell_status(self) -> None:
        self.publisher.tell_status(
            {
                "connection": self.zk.connection_string,
                "connected": self.zk.state == zookeeper.CONNECTED_STATE,
                "limit": self.tree.limit,
                "run": self.run,
            }
        )

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore readers that hang up in the middle, as they do."""
        fault = sys.exc_info()[1]
        if not isinstance(fault, OSError):
            logger.error("the page's server: %r", fault, exc_info=fault)

    def server_close(self) -> None:
        """End everything but the client."""
        self.publisher.close()
        self.tree.close()
        super().server_close()
