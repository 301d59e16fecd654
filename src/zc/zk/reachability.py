"""Why there is no session: what a plain connection to each server comes to.

The C client tries for ever and keeps its reasons for the log. So when a program is told that there
is no session, the reason is found out anew.
"""

from __future__ import annotations

import queue
import socket
import threading
import time

# Threads look up names and connect, since nothing else can be given up; all of them together get
# so long.
PROBE_SECONDS = 1.0

NO_ANSWER = "no answer"
ACCEPTED = "connections are accepted, and no session is opened"


def describe(connection_string: str, seconds: float = PROBE_SECONDS) -> str:
    """What is wrong with the servers of a connection string, in words: 'Connection refused'.

    Takes no longer than `seconds`. Servers with which it is the same are not told apart.
    """
    servers = connection_string.partition("/")[0].split(",")
    answers: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    for server in servers:
        threading.Thread(
            target=lambda server: answers.put((server, _probe(server, seconds))),
            args=[server],
            name=f"zc.zk probe of {server}",
            daemon=True,
        ).start()
    found = dict.fromkeys(servers, NO_ANSWER)
    deadline = time.monotonic() + seconds
    for _ in servers:
        try:
            server, reason = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[server] = reason
    if len(set(found.values())) == 1:
        return found[servers[0]]
    return ", ".join(f"{server}: {reason}" for server, reason in found.items())


def _probe(server: str, seconds: float) -> str:
    host, _, port = server.strip().rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), seconds).close()
    except TimeoutError:
        return NO_ANSWER
    except OSError as fault:
        return fault.strerror or str(fault)
    except ValueError as fault:
        return str(fault)
    return ACCEPTED
