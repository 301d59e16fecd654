"""Free ports on loopback."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack
from pathlib import Path

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Return different ports that nothing listens on.

    They lie below those that the kernel gives to outgoing connections: a client that keeps trying
    to reach a server that is down would sooner or later be given that very port, and so be
    connected to itself.
    """
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    candidates = random.SystemRandom().sample(range(lowest_outgoing // 2, lowest_outgoing), 500)
    with ExitStack() as held:
        ports: list[int] = []
        for port in candidates:
            probe = held.enter_context(socket.socket())
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            ports.append(port)
            if len(ports) == count:
                return ports
    raise OSError(f"no {count} free ports among {len(candidates)} below {lowest_outgoing}")
