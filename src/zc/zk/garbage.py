"""Making very many objects at once.

Python looks for cyclic garbage whenever some hundred objects have been made. While a tree of a
hundred thousand nodes comes into being it looks at all that is there already, many times, and finds
nothing: that was half of the time. So functions that only make objects, and do not wait for
anything, have it look when they are done.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Whether it is off because of us.
_rests = False


def collected_later(function: Callable[P, T]) -> Callable[P, T]:
    """Have no garbage collected while `function` runs, in any thread.

    When two threads are at it at once, the first one to end has it collected again, for both. A
    program that has switched the collector off finds it off.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        global _rests
        if not gc.isenabled():
            return function(*args, **kwargs)
        _rests = True
        gc.disable()
        try:
            return function(*args, **kwargs)
        finally:
            gc.enable()
            _rests = False

    return call


def _go_on() -> None:
    """In a child process, which has not got the thread that was at it."""
    if _rests:
        gc.enable()


os.register_at_fork(after_in_child=_go_on)
