"""The strict parser of connection strings, `host:port,host:port/root`.

The C client accepts ports modulo 65536, octal ports, and a root that holds a comma and another
server, and does not say which part is wrong. So it is given only the result of this parser.
"""

from __future__ import annotations

MAX_PORT = 65535

# The name service accepts no longer names.
_MAX_HOST_CHARACTERS = 255
_MAX_SHOWN = 200


class Ensemble:
    """The servers of a connection string, and the root, '' if it is `/`."""

    __slots__ = ("root", "servers")

    def __init__(self, servers: tuple[tuple[str, int], ...], root: str) -> None:
        self.servers = servers
        self.root = root

    @property
    def text(self) -> str:
        """The connection string in its shortest form."""
        return ",".join(server_name(host, port) for host, port in self.servers) + self.root


def server_name(host: str, port: int) -> str:
    """Write one server, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse(text: str) -> Ensemble:
    """Parse a connection string.

    Blanks and line ends around a server and around the whole are ignored, and so is a comma
    without a server beside it. The caller checks that servers accept the root as a path.

    Raises ValueError, which says which part is wrong and why.
    """
    if "://" in text:
        raise ValueError("it is no URL; HOST:PORT,HOST:PORT/ROOT is needed")
    before, slash, after = text.strip().partition("/")
    root = slash + after
    if root == "/":
        root = ""
    parts = [(number, part.strip()) for number, part in enumerate(before.split(","), 1)]
    named = [(number, part) for number, part in parts if part]
    if not named:
        behind = f" before the root {_shown(root)}" if root else ""
        raise ValueError(f"it names no server{behind}; HOST:PORT is needed")
    servers = []
    for number, part in named:
        fault = _fault(part)
        if fault:
            place = f" (part {number} of {len(parts)})" if len(parts) > 1 else ""
            raise ValueError(f"the server {_shown(part)}{place} {fault}")
        host, _, port = part.rpartition(":")
        servers.append((host[1:-1] if host[0] == "[" else host, int(port)))
    _check_root(root)
    return Ensemble(tuple(servers), root)


def _fault(part: str) -> str | None:
    """Say what is wrong with a server, or return None."""
    host, colon, port = part.rpartition(":")
    if part[0] == "[" and part[-1] == "]":
        return "has no port: [ADDRESS]:PORT is needed"
    if not colon:
        return "has no port: HOST:PORT is needed"
    if not port:
        return "has no port behind the colon"
    if not (port.isascii() and port.isdigit()):
        return f"has the port {_shown(port)}, which is no number"
    if not port.strip("0"):
        return f"has the port {_shown(port)}; ports are numbers from 1 to {MAX_PORT}"
    if port[0] == "0":
        return f"has the port {_shown(port)}, which must not begin with a zero"
    if len(port) > 5 or int(port) > MAX_PORT:
        return f"has no such port: {_shown(port)} is over {MAX_PORT}"
    if not host:
        return "has no host before the colon"
    return _host_fault(host)


def _host_fault(host: str) -> str | None:
    if len(host) > _MAX_HOST_CHARACTERS:
        return f"has a host of {len(host)} characters; there are {_MAX_HOST_CHARACTERS} at most"
    if host[0] == "[":
        if host[-1] != "]":
            return "has a bracket that is not closed before the port"
        return None if _is_ipv6(host[1:-1]) else "has no IPv6 address in its brackets"
    if ":" in host:
        # The C client accepts an IPv6 address without brackets: the part before the last colon.
        return None if _is_ipv6(host) else "has more than one colon, and is no IPv6 address"
    for character in host:
        if character.isspace() or not character.isprintable() or character in "[]":
            return f"has the character {character!a} in its host"
    return None


def _is_ipv6(text: str) -> bool:
    # Imported for addresses only: a client that starts with names does not need the module.
    import ipaddress

    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _check_root(root: str) -> None:
    """Raise ValueError for a root that holds another server.

    The C client would connect `h1:2181/x,h2:2181/x` to one server, at the root `/x,h2:2181/x`.
    """
    for part in root.split(",")[1:]:
        server = part.partition("/")[0].strip()
        port = server.rpartition(":")[2]
        if ":" in server and port.isascii() and port.isdigit():
            raise ValueError(
                f"there is a server {_shown(server)} behind the root; the root comes once, behind"
                " the last server"
            )


def _shown(text: str) -> str:
    return ascii(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "...")
