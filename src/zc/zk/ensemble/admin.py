"""Questions to the admin server of a server: HTTP on a port of its own, with answers in JSON.

It is on by itself in ZooKeeper from 3.5 on, at port 8080, and knows what four-letter words know.
"""

from __future__ import annotations

import json
from typing import Any

from zc.zk.ensemble.words import Address, Unanswered, connected, converse, in_words
from zc.zk.session.diagnosis import NO_ANSWER


def ask_admin(address: Address, port: int, command: str, deadline: float) -> Any:
    """Return what the admin server at that port of a server answers to a command.

    `deadline` is on the steady clock. Raises Unanswered.
    """
    host, _, *more = address.sockaddr
    there = Address(address.host, address.family, (host, port, *more))
    # By HTTP 1.0 a server hangs up behind the answer, and does not cut it in pieces.
    request = f"GET /commands/{command} HTTP/1.0\r\nAccept: application/json\r\n\r\n"
    try:
        with connected(there, deadline) as connection:
            content = converse(connection, request.encode(), deadline, deadline)
    except TimeoutError:
        raise _unanswered(port, NO_ANSWER) from None
    except OSError as fault:
        raise _unanswered(port, in_words(fault)) from fault
    except Unanswered as fault:
        raise _unanswered(port, str(fault)) from fault
    head, _, body = bytes(content).partition(b"\r\n\r\n")
    status = head.partition(b"\r\n")[0].decode("latin-1")
    if not status.startswith("HTTP/") or " 200" not in status:
        raise _unanswered(port, f"it answers {status[:40]!r}")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise _unanswered(port, f"it answers no JSON, but {body[:40]!r}") from None
    if isinstance(answer, dict) and answer.get("error"):
        raise _unanswered(port, str(answer["error"]))
    return answer


def _unanswered(port: int, reason: str) -> Unanswered:
    return Unanswered(f"its admin server, at port {port}: {reason}")
