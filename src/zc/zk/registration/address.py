"""Addresses of servers: names, pairs, and hosts that mean all interfaces.

An IPv6 host is written in brackets, `[::1]:80`, because it has colons of its own. A
registration is a node's name first and an address second: any name will do, as the clients of a
service know how to read it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable

# A name, a (host, port) pair, or the four-tuple that IPv6 sockets use (host, port, flow, scope).
# To type checkers, the host in a socketserver's `server_address` may be bytes.
Host = str | bytes | bytearray
Address = str | tuple[Host, int | str] | tuple[Host, int, int, int]

MAX_PORT = 65535

# The host in the `server_address` of a server that listens on all interfaces of its machine.
ALL_INTERFACES = ("", "0.0.0.0", "::")

_NEVER_IN_A_HOST = frozenset("/[] ")

_NAME = re.compile(r"(?:\[(?P<bracketed>[^][]*)\]|(?P<plain>[^][:]*)):(?P<port>[0-9]{1,5})")


def parse_addr(name: str) -> tuple[str, int]:
    """Return the host and port of `host:port` or `[host]:port`.

    The host may be blank. Raises ValueError when `name` is anything else.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        hint = " (an IPv6 host goes in brackets: [::1]:80)" if name.count(":") > 1 else ""
        raise ValueError(f"not an address of the form host:port: {name!r}{hint}")
    bracketed, plain, port = match.groups()
    host = plain if bracketed is None else bracketed
    _check(host, int(port), name)
    if bracketed is not None and ":" not in bracketed:
        raise ValueError(f"only an IPv6 host goes in brackets: {name!r}")
    return host, int(port)


def format_addr(host: str, port: int) -> str:
    """Return the name `host:port`, with brackets around an IPv6 host.

    `parse_addr` reads it back. Raises ValueError for a host that a node's name cannot hold, or a
    port out of range.
    """
    _check(host, port, (host, port))
    return _joined(host, str(port))


def names_to_register(address: Address) -> list[str]:
    """Return the names of the nodes to register a server at `address`.

    `address` is a pair (host, port), the four-tuple of an IPv6 socket, of which flow and scope mean
    nothing to other machines and are left out, or any text that can be a node's name. A host that
    means all interfaces stands for those of `hosts_of_blank`.

    Raises ValueError for anything else, and for port 0, at which nobody can find a server.
    """
    if isinstance(address, str):
        match = _NAME.fullmatch(address)
        host = None if match is None else match["plain"] or match["bracketed"] or ""
        if match is None or not (host in ALL_INTERFACES or int(match["port"]) == 0):
            return [_checked_name(address, address)]
        return _names(host, match["port"], address)
    match address:
        case (host, port) | (host, port, _, _):
            if isinstance(host, (bytes, bytearray)):
                host = host.decode("ascii")
            return _names(host, port, address)
    raise ValueError(f"not an address: {address!r}")


def _names(host: object, port: object, address: object) -> list[str]:
    if host is None:
        raise ValueError(f"not a host: {host!r}, in the address {address!r}")
    name = str(port) if isinstance(port, (int, str)) and not isinstance(port, bool) else ""
    if not name or (name.lstrip("-").isdecimal() and not 0 <= int(name) <= MAX_PORT):
        raise ValueError(f"not a port (1 to {MAX_PORT}): {port!r}, in the address {address!r}")
    if name.isdecimal() and int(name) == 0:
        raise ValueError(
            f"port 0 is any port that is free: register the one the server got, not {address!r}"
        )
    hosts = hosts_of_blank() if host in ALL_INTERFACES else [str(host)]
    return [_checked_name(_joined(each, name), address) for each in hosts]


def _joined(host: str, port: str) -> str:
    return f"[{host}]:{port}" if ":" in host and host[0] != "[" else f"{host}:{port}"


def _checked_name(name: str, address: object) -> str:
    if name in ("", ".", "..") or "/" in name or any(map(_is_barred, name)):
        raise ValueError(f"not an address, as no node can have that name: {address!r}")
    return name


def _is_barred(character: str) -> bool:
    """Say whether no server takes a character in a path."""
    return (
        character < " "
        or "\x7f" <= character <= "\x9f"
        or "\ud800" <= character <= "\uf8ff"
        or character >= "\ufff0"
    )


def hosts_of_blank() -> list[str]:
    """Return the hosts to register of a server that listens on all interfaces.

    They are the IPv4 addresses of this machine if the `netifaces` module is installed and finds
    any, as `worth_registering` chooses them; else its fully qualified name, which may take a
    look-up of the name service.
    """
    import socket

    return worth_registering(_ipv4_addresses()) or [socket.getfqdn()]


def worth_registering(addresses: Iterable[str]) -> list[str]:
    """Return the IPv4 addresses that other machines can use, each once.

    Loopback addresses are of no use to anybody else, so they count only when there is nothing
    else: on a developer's machine without a network.
    """
    import ipaddress

    distinct = list(dict.fromkeys(addresses))
    remote = [address for address in distinct if not ipaddress.ip_address(address).is_loopback]
    return remote or distinct


def _ipv4_addresses() -> list[str]:
    try:
        netifaces = importlib.import_module("netifaces")
    except ImportError:
        return []
    return [
        interface["addr"]
        for name in netifaces.interfaces()
        for interface in netifaces.ifaddresses(name).get(netifaces.AF_INET, ())
        if "addr" in interface
    ]


def _check(host: object, port: object, address: object) -> None:
    if not isinstance(host, str):
        raise ValueError(f"not a host: {host!r}, in the address {address!r}")
    if not host.isprintable() or not _NEVER_IN_A_HOST.isdisjoint(host):
        raise ValueError(f"not a host: {host!r}, in the address {address!r}")
    if type(port) is not int or not 0 <= port <= MAX_PORT:
        raise ValueError(f"not a port (0 to {MAX_PORT}): {port!r}, in the address {address!r}")
