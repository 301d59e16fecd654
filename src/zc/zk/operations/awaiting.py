"""Waiting until a node is as it is expected to be: by watches, in whatever sessions there are."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.errors import LinkLoop
from zc.zk.tree.expectation import Expectation, Seen
from zc.zk.watching.dependencies import Kind
from zc.zk.watching.liveobject import LiveObject, View
from zc.zk.watching.readers import NodeReader

if TYPE_CHECKING:
    from zc.zk.watching.subscriptions import Subscriptions


class _SeenView(View):
    __slots__ = ("seen",)

    def __init__(self, real_path: str, seen: Seen) -> None:
        # An object that is deleted tells nothing more of itself, and there may be nothing yet.
        super().__init__(real_path, deleted=False)
        self.seen = seen

    def fingerprint(self) -> object:
        return self.seen


class Awaited(LiveObject[_SeenView]):
    """A node that need not be there, links followed, kept up to date."""

    _kind = Kind.EXISTS

    def __init__(self, watches: Subscriptions, path: str, expectation: Expectation) -> None:
        self._expectation = expectation
        super().__init__(watches, path)

    @property
    def seen(self) -> Seen:
        return self._shown.seen

    def _see(self, reader: NodeReader) -> _SeenView:
        expected = self._expectation
        data: str | None = None
        children: int | None = None
        try:
            if expected.needs_data:
                path, (data, _) = reader.follow(Kind.DATA, self.path)
            else:
                path, _ = reader.follow(Kind.EXISTS, self.path)
            if expected.children is not None:
                children = len(reader.read(Kind.CHILDREN, path))
        except (zookeeper.NoNodeException, LinkLoop):
            return self._see_nothing(self.path)
        return _SeenView(path, Seen(True, data, children))

    def _see_nothing(self, real_path: str) -> _SeenView:
        return _SeenView(real_path, Seen(False))


def wait_until(watches: Subscriptions, path: str, expectation: Expectation, seconds: float) -> str:
    """Wait until a node is as expected; return '' then, and else what it lacks at the end.

    Raises the servers' refusal if the node may not be read.
    """
    deadline = time.monotonic() + seconds
    session = watches.session
    awaited: Awaited | None = None
    while awaited is None:
        with suppress(zookeeper.SessionError):
            awaited = Awaited(watches, path, expectation)
            break
        left = deadline - time.monotonic()
        if left <= 0 or not session.wait_for_connection(left):
            _, reason = session.why_there_is_none()
            return f"there is no connection ({reason})"
    is_met = threading.Event()

    def look(now: Awaited) -> None:
        if not expectation.lack(now.seen):
            is_met.set()

    awaited(look)
    if is_met.wait(max(0.0, deadline - time.monotonic())):
        return ""
    lack = expectation.lack(awaited.seen)
    if lack and session.silence():
        _, reason = session.why_there_is_none()
        return f"{lack} as far as is known, and there is no connection ({reason})"
    return lack
