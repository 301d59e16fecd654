"""A server that is registered, as those see it that are to call one."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from zc.zk.errors import printable
from zc.zk.registration.address import parse_addr

# The property by which a registration says that its server takes no new work.
DRAINING = "draining"

Key = str | bytes


class Provider:
    """A registered server: `address` is its node's name, 'host:port', `properties` the node's.

    `is_draining` says that it takes no new work. `hash` is a number of the address, the same one in
    all processes.
    """

    __slots__ = ("address", "hash", "host", "is_draining", "port", "properties")

    address: str
    hash: int
    host: str
    port: int
    is_draining: bool
    properties: Mapping[str, Any]

    def __init__(self, address: str, properties: Mapping[str, Any]) -> None:
        """Raises ValueError if nobody can call that address."""
        host, port = parse_addr(address)
        if not host or not port:
            raise ValueError(f"not an address to call, which takes host and port: {address!r}")
        self.address = address
        self.host = host
        self.port = port
        self.properties = properties
        self.is_draining = bool(properties.get(DRAINING))
        self.hash = hash_of(address)

    def __repr__(self) -> str:
        return printable(f"<Provider {self.address} {dict(self.properties)}>")


def hash_of(key: Key) -> int:
    """Return a number of 64 bits: the same one in all processes, on all machines."""
    data = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")
