"""The bridge: a binding whose functions let the event loop go on while they wait.

Called in a crossing, each sends its request in the form that does not wait, and goes on when the
answer is there. Anywhere else, as on the thread of a client's upkeep, it is the function that
blocks. All others are passed on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.aio.answers import Answers, fault_of
from zc.zk.aio.bulk import BULK, ask_in_bulk
from zc.zk.aio.calls import CALLS, Call
from zc.zk.aio.crossing import is_crossing, wait

if TYPE_CHECKING:
    from zookeeper.binding import Binding


class Bridge:
    """A `zookeeper.binding.Binding` that is another one, and waits as its caller has to.

    `is_inline` is set where the other one has no thread, as an emulation, and so never waits.
    """

    def __init__(self, binding: Binding, answers: Answers) -> None:
        self.binding = binding
        self.answers = answers
        self.is_inline = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.binding, name)

    def init(self, *args: Any, **kwargs: Any) -> int:
        """Open a handle."""
        handle = self.binding.init(*args, **kwargs)
        self.is_inline = self.binding.event_thread(handle) is None
        return handle

    def _waits_by_itself(self) -> bool:
        return self.is_inline or not is_crossing()


def _of_one_answer(name: str, call: Call) -> Callable[..., Any]:
    def function(
        self: Bridge, h: int, /, *args: Any, timeout: float | None = None, **kwargs: Any
    ) -> Any:
        if self._waits_by_itself():
            if timeout is not None:
                kwargs["timeout"] = timeout
            return getattr(self.binding, name)(h, *args, **kwargs)
        if name == "multi":
            args = (list(*args, **kwargs),)
            kwargs = {}
            if not args[0]:
                return []
        later = partial(getattr(self.binding, call.later), h)
        code, results = wait(self.answers.ask(call.send, later, args, kwargs, timeout))
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


def _of_many_answers(name: str) -> Callable[..., Any]:
    def function(self: Bridge, h: int, /, *args: Any, **kwargs: Any) -> Any:
        if self._waits_by_itself():
            return getattr(self.binding, name)(h, *args, **kwargs)
        later = getattr(self.binding, "a" + name)
        return ask_in_bulk(self.answers, later, h, args, **kwargs)

    function.__name__ = name
    return function


for _name, _call in CALLS.items():
    setattr(Bridge, _name, _of_one_answer(_name, _call))
for _name in BULK:
    setattr(Bridge, _name, _of_many_answers(_name))
