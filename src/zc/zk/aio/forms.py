"""The two forms in which methods of the blocking client are had by those of this one.

`awaited` runs any method in a crossing. `asked`, for the binding's calls of one answer, needs none:
it awaits the future of the answer.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

import zookeeper
from zc.zk.aio.crossing import cross
from zc.zk.client import ZooKeeper as Blocking
from zc.zk.imports import importing
from zc.zk.methods.passing import passes_on
from zc.zk.session.bridge import refusal
from zc.zk.session.calls import CALLS

if TYPE_CHECKING:
    from zc.zk.aio.inner import Inner

P = ParamSpec("P")
R = TypeVar("R")

Coroutines = Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]


class Face(Protocol):
    """A client, as far as its methods need it."""

    @property
    def handle(self) -> int | None:
        """The binding's handle; None while there is no session."""

    def _ready(self, *, closed_too: bool = False) -> Inner:
        """Return the blocking client. Raises where, or when, this one cannot be used."""


def awaited(method: Callable[Concatenate[Any, P], R]) -> Coroutines[P, R]:
    """Return a method's asynchronous form."""

    @functools.wraps(method)
    async def awaiting(self: Face, /, *args: P.args, **kwargs: P.kwargs) -> R:
        inner = self._ready()
        result = await cross(method, inner, *args, **kwargs)
        if inner.is_inline:
            await asyncio.sleep(0)  # nothing has waited, and others are to have their turn
        return result

    return awaiting


def asked(method: Callable[Concatenate[Any, P], R]) -> Coroutines[P, R]:
    """Return the asynchronous form of a method that is one of the binding's calls."""
    name = method.__name__
    call = CALLS[name]
    later_name, send, take, watcher = call.later, call.send, call.take, call.watcher
    is_passed_on = passes_on(getattr(Blocking, later_name))

    @functools.wraps(method)
    async def asking(self: Face, /, *args: Any, timeout: float | None = None, **kwargs: Any) -> R:
        inner = self._ready()
        if watcher is not None and (len(args) > watcher or kwargs):
            args = _on_loop(inner, args, kwargs, watcher)
        if inner.is_inline:
            if timeout is not None:
                kwargs["timeout"] = timeout
            result = method(inner, *args, **kwargs)
            await asyncio.sleep(0)
            return result
        later = inner.later(later_name) if is_passed_on else getattr(inner, later_name)
        try:
            future = inner.answers.ask(send, later, args, kwargs, timeout)
        except zookeeper.InvalidStateException as closed:
            raise inner._session.as_lost(closed) from closed
        code, results = await future
        if code == zookeeper.OK:
            return cast(R, take(results))
        if code == zookeeper.NONODE:
            if name == "exists":
                return cast(R, None)
            fault = refusal(call, code, results, args, kwargs)
            if not inner._session.root:
                raise fault
            with importing:
                from zc.zk.operations import root

            raise await cross(root.named, inner._session, fault)
        raise refusal(call, code, results, args, kwargs)

    return cast("Coroutines[P, R]", asking)


def _on_loop(
    inner: Inner, args: tuple[Any, ...], kwargs: dict[str, Any], place: int
) -> tuple[Any, ...]:
    """Return the arguments with a watcher that is called on the loop, if there is one."""
    if len(args) > place:
        return (*args[:place], inner.home.on_loop(args[place]), *args[place + 1 :])
    if "watcher" in kwargs:
        kwargs["watcher"] = inner.home.on_loop(kwargs["watcher"])
    return args


def at_once(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Return a method that waits for nothing, and so is no coroutine function."""

    @functools.wraps(method)
    def calling(self: Face, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return method(self._ready(), *args, **kwargs)

    return calling
