"""Forked processes: telling, once, that nothing keeps their live objects up to date."""

from __future__ import annotations

import logging
import os

from zc.zk.session.session import Session

logger = logging.getLogger("zc.zk")

# Whether this process was forked: one that was not need not ask at each read which one it is.
is_child = False


def _note_fork() -> None:
    global is_child
    is_child = True


os.register_at_fork(after_in_child=_note_fork)


def warn(session: Session, warned_in: int) -> int:
    """Log it unless this process, `warned_in`, has; return the one that has."""
    process = os.getpid()
    if session.is_forked and warned_in != process:
        logger.warning(
            "%s: what live objects show is as it was at the fork, and does not change in this"
            " process: call `reopen` of the client first, or make a new one",
            session.connection_string,
        )
        return process
    return warned_in
