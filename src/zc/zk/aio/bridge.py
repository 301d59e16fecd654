"""The bridge: a binding whose functions let the event loop go on while they wait.

They do so in a crossing. Anywhere else, as on the thread of a client's upkeep, each is the function
that blocks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.aio.answers import Answers
from zc.zk.aio.bulk import ask_in_bulk
from zc.zk.aio.crossing import is_crossing, wait
from zc.zk.session import bridge
from zc.zk.session.bridge import AwaitedAnswer
from zc.zk.session.calls import CALLS

if TYPE_CHECKING:
    from zookeeper.binding import Binding


class Bridge(bridge.Bridge):
    """A bridge to an event loop.

    `is_inline` is set where the other binding has no thread, as an emulation, and so never waits.
    """

    def __init__(self, binding: Binding, answers: Answers) -> None:
        super().__init__(binding)
        self.answers = answers
        self.is_inline = False

    def init(self, *args: Any, **kwargs: Any) -> int:
        """Open a handle."""
        handle = self.binding.init(*args, **kwargs)
        self.is_inline = self.binding.event_thread(handle) is None
        return handle

    def blocks(self, h: int) -> bool:
        return self.is_inline or not is_crossing()

    def answer(
        self,
        h: int,
        send: Callable[..., object],
        later: Callable[..., object],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout: float | None,
    ) -> AwaitedAnswer:
        return wait(self.answers.ask(send, later, args, kwargs, timeout))

    def answer_all(
        self, h: int, requests: Sequence[tuple[str, tuple[Any, ...]]]
    ) -> list[AwaitedAnswer]:
        asked: deque[asyncio.Future[AwaitedAnswer]] = deque()
        for name, arguments in requests:
            call = CALLS[name]
            later = self.later(h, call.later)
            try:
                asked.append(self.answers.ask(call.send, later, arguments))
            except zookeeper.ZooKeeperException as fault:
                asked.append(asyncio.get_running_loop().create_future())
                asked[-1].set_result((fault.code, (fault.with_traceback(None),)))
        answers: list[AwaitedAnswer] = []
        while asked:
            # None is on this stack while it is waited for; see `Crossing.awaited`.
            answers.append(wait(asked.popleft()))
        return answers

    def many(self, h: int, name: str, *args: Any, **kwargs: Any) -> Any:
        return ask_in_bulk(self.answers, getattr(self.binding, "a" + name), h, args, **kwargs)
