"""A binding that notes how long calls take, and how they end.

It stands in front of a client's own, so that the calls of the program and those of the client's
upkeep are timed as they are made: a call that waits from its beginning until it returns, Python's
own delays included; one that does not until its completion is called. Of bulk calls the whole is
one call.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from time import perf_counter
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.metrics.durations import Durations
from zc.zk.session.bridge import BULK
from zc.zk.session.calls import CALLS
from zookeeper.binding import Binding
from zookeeper.errors import CLASS_OF_CODE

if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

OK = "ok"
REFUSED = "refused"  # the servers say no: no such node, another version, no permission
LOST = "lost"  # the connection, or the session
TIMEOUT = "timeout"  # no answer in the time given
FAILED = "failed"  # wrong arguments, or the caller was interrupted
OUTCOMES = (OK, REFUSED, LOST, TIMEOUT, FAILED)

_OF_CODES = {
    **{
        code: LOST for code, cls in CLASS_OF_CODE.items() if issubclass(cls, zookeeper.SessionError)
    },
    zookeeper.OK: OK,
    zookeeper.OPERATIONTIMEOUT: TIMEOUT,
    zookeeper.NOTREADONLY: REFUSED,
    zookeeper.BADARGUMENTS: FAILED,
}

# The kinds of calls, by the functions that wait. Those that return more are the same call.
KINDS = {name: name.rstrip("2") for name in (*CALLS, *BULK)}

# By the forms that do not wait.
LATER_KINDS = {
    **{call.later: KINDS[name] for name, call in CALLS.items()},
    **{f"a{name}": name for name in BULK},
}


def outcome_of(kind: str, code: int) -> str:
    """Say in a word how a call ended."""
    if code == zookeeper.NONODE and kind == "exists":
        return OK  # that is an answer
    return _OF_CODES.get(code, REFUSED)


def outcome_of_fault(kind: str, fault: BaseException) -> str:
    """Say in a word how a call ended that raised this."""
    return (
        outcome_of(kind, fault.code) if isinstance(fault, zookeeper.ZooKeeperException) else FAILED
    )


class TimedBinding:
    """A `zookeeper.binding.Binding` that is another one, whose calls are noted in `durations`.

    Functions are looked up in the other one at each call, as everywhere: a test may patch them.
    """

    def __init__(self, binding: Binding, durations: Durations) -> None:
        self.binding = binding
        self._note = durations.note

    def __getattr__(self, name: str) -> Any:
        return getattr(self.binding, name)


def _waiting(name: str, kind: str) -> Callable[..., Any]:
    ok = kind, OK

    def function(self: TimedBinding, h: int, /, *args: Any, **kwargs: Any) -> Any:
        function = getattr(self.binding, name)
        began = perf_counter()
        try:
            result = function(h, *args, **kwargs)
        except BaseException as fault:
            self._note((kind, outcome_of_fault(kind, fault)), perf_counter() - began)
            raise
        self._note(ok, perf_counter() - began)
        return result

    function.__name__ = name
    return function


def _later(name: str, kind: str) -> Callable[..., Any]:
    _, _, *parameters = signature(getattr(Binding, name)).parameters  # self, h
    place = parameters.index("completion")

    ok = kind, OK

    def function(self: TimedBinding, h: int, /, *args: Any, **kwargs: Any) -> Any:
        began = perf_counter()
        note = self._note

        def around(completion: Callable[..., object] | None) -> Callable[..., object]:
            def done(handle: int, code: int, *results: Any) -> None:
                note(ok if code == 0 else (kind, outcome_of(kind, code)), perf_counter() - began)
                if completion is not None:
                    completion(handle, code, *results)

            return done

        if len(args) > place:
            args = (*args[:place], _timed(args[place], around), *args[place + 1 :])
        else:
            kwargs["completion"] = _timed(kwargs.get("completion"), around)
        try:
            return getattr(self.binding, name)(h, *args, **kwargs)
        except BaseException as fault:  # it was not sent
            note((kind, outcome_of_fault(kind, fault)), perf_counter() - began)
            raise

    function.__name__ = name
    return function


def _timed(
    completion: Any, around: Callable[[Callable[..., object] | None], Callable[..., object]]
) -> Any:
    """Return a completion with `around` around it, in the same queue if it is bound to one."""
    if type(completion).__name__ == "QueuedCompletion":
        return completion.around(around)
    if completion is not None and not callable(completion):
        return completion  # the binding says so
    return around(completion)


for _name, _kind in KINDS.items():
    setattr(TimedBinding, _name, _waiting(_name, _kind))
for _name, _kind in LATER_KINDS.items():
    setattr(TimedBinding, _name, _later(_name, _kind))
