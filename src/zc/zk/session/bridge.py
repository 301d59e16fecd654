"""A bridge: a binding whose functions let others go on while they wait for the servers.

A call of one answer is sent in the form that does not wait, and goes on when the answer is there.
How that is waited for, and calls of many answers are made, is the subclass's; where nothing need go
on, the function of the other binding is called, which blocks. All other functions are passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.session.calls import CALLS, Call

if TYPE_CHECKING:
    from zookeeper.binding import Binding

# An error code, and the results that a completion is given.
AwaitedAnswer = tuple[int, tuple[Any, ...]]

# They wait for many answers. The form of each that does not wait begins with `a`.
BULK = ("get_many", "get_acl_many", "get_children_many", "read_tree", "watch_many", "write_many")


class Bridge:
    """A `zookeeper.binding.Binding` that is another one, and waits as its caller has to."""

    def __init__(self, binding: Binding) -> None:
        self.binding = binding

    def __getattr__(self, name: str) -> Any:
        return getattr(self.binding, name)

    def later(self, h: int, name: str) -> Callable[..., object]:
        """Return the form of a call that does not wait."""
        return partial(getattr(self.binding, name), h)

    def blocks(self, h: int) -> bool:
        """Whether a call of that handle is to be made as it is."""
        raise NotImplementedError

    def answer(
        self,
        h: int,
        send: Callable[..., object],
        later: Callable[..., object],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout: float | None,
    ) -> AwaitedAnswer:
        """Send a request, and return its answer; OPERATIONTIMEOUT if that comes too late.

        `send` sends it by `later`, which takes a completion; see `calls.py`.
        """
        raise NotImplementedError

    def answer_all(
        self, h: int, requests: Sequence[tuple[str, tuple[Any, ...]]]
    ) -> list[AwaitedAnswer]:
        """Send the requests of calls, and return their answers; see `pipelining.py`."""
        raise NotImplementedError

    def many(self, h: int, name: str, *args: Any, **kwargs: Any) -> Any:
        """Return the result of a call of many answers."""
        raise NotImplementedError


def _of_one_answer(name: str, call: Call) -> Callable[..., Any]:
    def function(
        self: Bridge, h: int, /, *args: Any, timeout: float | None = None, **kwargs: Any
    ) -> Any:
        if self.blocks(h):
            if timeout is not None:
                kwargs["timeout"] = timeout
            return getattr(self.binding, name)(h, *args, **kwargs)
        if name == "multi":
            args = (list(*args, **kwargs),)
            kwargs = {}
            if not args[0]:
                return []
        later = self.later(h, call.later)
        code, results = self.answer(h, call.send, later, args, kwargs, timeout)
        if code == zookeeper.OK:
            return call.take(results)
        if code == zookeeper.NONODE and name == "exists":
            return None
        raise refusal(call, code, results, args, kwargs)

    function.__name__ = name
    return function


def refusal(
    call: Call, code: int, results: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> zookeeper.ZooKeeperException:
    """Return the exception for an answer to a call with these arguments."""
    if call.later == "amulti" and results and results[0] is not None:
        codes = results[0]
        index = next((i for i, each in enumerate(codes) if each != zookeeper.OK), None)
        if index is not None:
            fault = fault_of(codes[index], args[0][index][1])
            vars(fault).update(index=index, results=codes)
            return fault
    path = None
    if call.has_path:
        path = args[0] if args else kwargs.get("path")
    return fault_of(code, path)


def fault_of(code: int, path: str | None) -> zookeeper.ZooKeeperException:
    """Return the exception for an answer."""
    late = "no answer within the time given" if code == zookeeper.OPERATIONTIMEOUT else None
    return zookeeper.error(code, path, late)


def _of_many_answers(name: str) -> Callable[..., Any]:
    def function(self: Bridge, h: int, /, *args: Any, **kwargs: Any) -> Any:
        if self.blocks(h):
            return getattr(self.binding, name)(h, *args, **kwargs)
        return self.many(h, name, *args, **kwargs)

    function.__name__ = name
    return function


for _name, _call in CALLS.items():
    setattr(Bridge, _name, _of_one_answer(_name, _call))
for _name in BULK:
    setattr(Bridge, _name, _of_many_answers(_name))
