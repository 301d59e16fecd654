"""The obstacles in the way of one node: counted, logged once, rested from."""

from __future__ import annotations

import logging
import time

from zc.zk.registration.step import Desired
from zc.zk.session.backoff import pause

logger = logging.getLogger("zc.zk")

# So many connections in a row, lost while a node is written, are no accident.
MAX_LOSSES = 3


class Setbacks:
    """Refusals in a row, and connections lost in a row while it was written.

    They decide about pauses and log lines only, so that no lock guards them: two threads that meet
    a setback at once may count one.
    """

    __slots__ = ("_complaint", "_losses", "_refusals", "rests_until")

    def __init__(self) -> None:
        self._refusals = 0
        self._losses = 0
        self.rests_until = 0.0
        self._complaint = ""

    def forgive_losses(self) -> None:
        """Start anew: what is to be written is something else, or has been written."""
        self._losses = 0
        self.rests_until = 0.0

    def note_success(self, path: str) -> None:
        """Forget all, and log that the node is there if the log has had a complaint."""
        self._refusals = 0
        self.forgive_losses()
        if self._complaint:
            self._complaint = ""
            logger.info("%s is registered", path)

    def note_refusal(self, path: str, refusal: Exception) -> float:
        """Count what the server says against the node. Returns when to try again."""
        self._refusals += 1
        self.complain(path, str(refusal))
        return time.monotonic() + pause(self._refusals)

    def note_loss(self, path: str, desired: Desired | None) -> None:
        """Count a connection that was lost while the node was seen to.

        Once or twice is a network's. A server that ends each connection by which this is written
        would do so for ever, at the cost of all other calls of the client: the node rests, with
        backoff and jitter.
        """
        self._losses += 1
        if self._losses < MAX_LOSSES:
            return
        self.rests_until = time.monotonic() + pause(self._losses)
        if self._losses == MAX_LOSSES and desired is not None:
            logger.warning(
                "%s: the connection is lost each time that this node, of %d bytes, is written;"
                " servers end it at requests over their jute.maxbuffer. It is tried again, at"
                " growing intervals",
                path,
                len(desired.data or ""),
            )

    def complain(self, path: str, complaint: str) -> None:
        """Log why the node is not there, once."""
        if self._complaint != complaint:
            self._complaint = complaint
            logger.warning("%s is not registered, will try again: %s", path, complaint)
