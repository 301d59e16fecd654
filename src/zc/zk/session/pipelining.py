"""Several calls of one answer each, whose requests are under way together: one round trip."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.session.bridge import AwaitedAnswer, Bridge, refusal
from zc.zk.session.calls import CALLS

if TYPE_CHECKING:
    from zookeeper.binding import Binding

# A call of the binding: its name, and its arguments without the handle.
Request = tuple[str, tuple[Any, ...]]


def ask_all(h: int, requests: Sequence[Request], binding: Binding) -> list[Any]:
    """Return what each call returns, or the exception that it would raise."""
    bridge = binding if isinstance(binding, Bridge) and not binding.blocks(h) else None
    # Without `select.poll`, which eventlet takes away, they are asked one after the other.
    if binding.event_thread(h) is None or not (bridge is not None or hasattr(select, "poll")):
        return [_called(h, name, arguments, binding) for name, arguments in requests]
    if bridge is not None:
        answers = bridge.answer_all(h, requests)
    else:
        answers = _answers(h, requests, binding)
    return [
        _outcome(name, arguments, *answer)
        for (name, arguments), answer in zip(requests, answers, strict=True)
    ]


def _called(h: int, name: str, arguments: tuple[Any, ...], binding: Binding) -> Any:
    try:
        return getattr(binding, name)(h, *arguments)
    except zookeeper.ZooKeeperException as fault:
        return fault.with_traceback(None)


def _answers(h: int, requests: Sequence[Request], binding: Binding) -> list[AwaitedAnswer]:
    """Wait for answers, in any thread: that of the handle's events may be this one."""
    queue = zookeeper.CompletionQueue()
    came: dict[int, AwaitedAnswer] = {}

    def take(place: int, _: int, code: int, *results: Any) -> None:
        came[place] = code, results

    try:
        for place, (name, arguments) in enumerate(requests):
            call = CALLS[name]
            later = partial(getattr(binding, call.later), h)
            try:
                call.send(later, queue.bind(partial(take, place)), *arguments)
            except zookeeper.ZooKeeperException as fault:
                came[place] = fault.code, (fault.with_traceback(None),)
        seconds = binding.recv_timeout(h) / 1000
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(queue.fileno(), select.POLLIN)
        while len(came) < len(requests) and (left := deadline - time.monotonic()) > 0:
            poll.poll(left * 1000)
            queue.drain()
    finally:
        queue.close()
    late: AwaitedAnswer = zookeeper.OPERATIONTIMEOUT, ()
    return [came.get(place, late) for place in range(len(requests))]


def _outcome(name: str, arguments: tuple[Any, ...], code: int, results: tuple[Any, ...]) -> Any:
    call = CALLS[name]
    if code == zookeeper.OK:
        return call.take(results)
    if code == zookeeper.NONODE and name == "exists":
        return None
    if results and isinstance(results[0], zookeeper.ZooKeeperException):
        return results[0]  # it could not be sent, and says why
    return refusal(call, code, results, arguments, {})
