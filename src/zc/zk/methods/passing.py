"""How methods pass calls on: to the binding, to the registry, and what they tell of failures."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import zookeeper
from zc.zk.imports import importing
from zookeeper.errors import CLASS_OF_CODE

if TYPE_CHECKING:
    from inspect import Signature

    from zc.zk.registration.ephemerals import Ephemerals
    from zc.zk.session.session import Session
    from zc.zk.watching.subscriptions import Subscriptions

P = ParamSpec("P")
R = TypeVar("R")
Method = TypeVar("Method", bound=Callable[..., Any])

# After an error of the session a deletion may have happened or not. The node counts as deleted:
# what the program has deleted must not be revived, and what it has not, ends with the session. But
# a server that can only be read has refused to delete it, and the session goes on.
UNCERTAIN = {
    code for code, cls in CLASS_OF_CODE.items() if issubclass(cls, zookeeper.SessionError)
} - {zookeeper.NOTREADONLY}
GONE = {zookeeper.OK, zookeeper.NONODE, *UNCERTAIN}


class Methods:
    """The base of the methods of all subjects."""

    _session: Session
    _ephemerals: Ephemerals
    watches: Subscriptions


class _Shown:
    """A function as `inspect.signature` finds it behind a method: with `self` for `h`.

    It is made when somebody asks, as imports are to be quick, and `inspect` is a large one.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    @property
    def __signature__(self) -> Signature:
        import inspect

        signature = inspect.signature(self._function)
        _, *parameters = signature.parameters.values()
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return signature.replace(parameters=[own, *parameters])


def passed_on(function: Callable[Concatenate[int, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Return a method that passes its arguments on to a function of the binding."""
    name = function.__name__

    def method(self: Methods, /, *args: P.args, **kwargs: P.kwargs) -> R:
        session = self._session
        function: Callable[..., R] = getattr(session.binding, name)
        return session.call(function, *args, **kwargs)

    method.__name__ = name
    method.__qualname__ = f"ZooKeeper.{name}"
    # The function's begins with its signature, in which there is the handle.
    _, _, method.__doc__ = (function.__doc__ or "").partition("\n\n")
    method.__wrapped__ = _Shown(function)  # type: ignore[attr-defined]
    return method


def passes_on(method: object) -> bool:
    """Say whether a method does nothing but to pass its arguments on."""
    return isinstance(getattr(method, "__wrapped__", None), _Shown)


def tells_of_root(method: Method) -> Method:
    """Have a method say so if a node is missing because the root of all paths is."""

    @functools.wraps(method)
    def telling(self: Methods, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except zookeeper.NoNodeException as missing:
            with importing:
                from zc.zk.operations import root

            told = root.named(self._session, missing)
            if told is missing:
                raise
            raise told from None

    return cast(Method, telling)


def if_any(version: int) -> tuple[int, ...]:
    return () if version == -1 else (version,)


def given(**options: Any) -> dict[str, Any]:
    """Those that the program has given: a test's stand-in for a function need not know others."""
    return {name: value for name, value in options.items() if value is not None}


def code_of(fault: BaseException) -> int | None:
    return fault.code if isinstance(fault, zookeeper.ZooKeeperException) else None
