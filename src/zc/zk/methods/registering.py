"""Registrations of servers, as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zc.zk.acl import READ_ACL_UNSAFE
from zc.zk.imports import importing
from zc.zk.methods.passing import Methods, tells_of_root

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zc.zk.registration.address import Address
    from zc.zk.registration.registration import Registration
    from zc.zk.registration.registrations import Registrations, Server
    from zookeeper.types import Acl


class Registering(Methods):
    """The methods by which a program lets others find its servers."""

    @tells_of_root
    def register(
        self, path: str, address: Address, acl: Acl = READ_ACL_UNSAFE, **data: Any
    ) -> Registration:
        """Register a server that listens at `address`, as an ephemeral node at `path`.

        `address` is a (host, port) pair or an IPv6 socket's 4-tuple, for a node 'host:port', or any
        text that can be a node's name. For a host that means all interfaces, '', '0.0.0.0' or '::',
        there is a node for each of this machine's IPv4 addresses, loopback only if there is nothing
        else, if the `netifaces` module is installed; and otherwise one with the fully qualified
        host name. `path` may have links in it. `data` are the node's properties, `pid` among them
        unless it is given; subscribers to `RegisteringServer` events may add to them.

        The node is kept in being until `Registration.unregister`. When another session's ephemeral
        node has the name, such as that of a process that just crashed, it is registered as soon as
        that one is gone; without a connection, as soon as there is one. `Registration.state` tells.

        Raises NoNodeException when there is no node at `path`, NodeExistsException when this client
        has registered the address already or the node there is not ephemeral, ValueError for a bad
        address, port 0 among them, and for data that JSON cannot hold. See `zc.zk.registration`.
        """
        with importing:
            from zc.zk.registration.registration import register

        return register(self._ephemerals.registry, path, address, acl, data)

    @tells_of_root
    def register_all(
        self, servers: Iterable[Server], acl: Acl = READ_ACL_UNSAFE, **data: Any
    ) -> Registrations:
        """Register many servers like `register`, in a few requests: all of them, or none.

        `servers` are tuples: the path to register at, the address, and perhaps properties of this
        server alone. `data` are properties of all of them.

        Returns a sequence of their registrations, whose `unregister` ends all. If one is refused,
        none is registered when this raises what the servers say of it, with the path of its node.
        Raises what `register` does. See `zc.zk.registration.registrations`.
        """
        with importing:
            from zc.zk.registration.registrations import register_all

        return register_all(self._ephemerals.registry, servers, acl, data)

    @tells_of_root
    def register_server(
        self, path: str, address: Address, acl: Acl = READ_ACL_UNSAFE, **data: Any
    ) -> None:
        """Register a server like `register`, for as long as this client lives.

        Returns None, as it always has: doctests show nothing.
        """
        self.register(path, address, acl, **data)
