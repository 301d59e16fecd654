"""Sockets on which this process listens."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterable

FAMILIES = (socket.AF_INET, socket.AF_INET6)


def listening() -> list[tuple[str, int]]:
    """Return host and port of the TCP sockets on which this process listens.

    Those that are bound and do not listen yet are not among them.
    """
    found: dict[tuple[str, int], None] = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                with socket.socket(fileno=os.dup(int(name))) as copy:
                    if _is_listening(copy):
                        host, port, *_ = copy.getsockname()
                        found[host, port] = None
        except OSError:
            pass  # another thread has closed it just now
    return list(found)


def _is_listening(one: socket.socket) -> bool:
    return (
        one.family in FAMILIES
        and one.type == socket.SOCK_STREAM
        and bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    )


def the_one(found: Iterable[tuple[str, int]], port: int | None) -> tuple[str, int] | None:
    """Return host and port of the socket at `port`, or of the only one; None if there is none.

    Raises ValueError if any of several could be meant.
    """
    among = [each for each in found if port in (None, each[1])]
    ports = sorted({each[1] for each in among})
    if len(ports) > 1:
        raise ValueError(
            f"this process listens at the ports {', '.join(map(str, ports))}: say which one is to"
            " be registered (port=...)"
        )
    return among[0] if among else None
