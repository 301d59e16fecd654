"""Making very many objects at once.

Python looks for cyclic garbage whenever some hundred objects have been made. While a tree of a
hundred thousand nodes comes into being it looks at all that is there already, many times, and finds
nothing: that was half of the time. So functions that only make objects, and do not wait for
anything, have it look when they are done.

The collector is the whole process's, and the program's to switch: `gc.disable` and `gc.enable` of
another thread meanwhile hold. A pause raises the number of objects after which it looks.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# After more objects than this Python would look: never. Nobody else puts just this number there, so
# that a threshold that the program sets meanwhile is told from ours.
_PUT_OFF = 2_000_000_011

# The threshold that there was when it was put off the last time.
_before = gc.get_threshold()[0]


def collected_later(function: Callable[P, T]) -> Callable[P, T]:
    """Have no garbage collected while `function` runs, in any thread.

    When two threads are at it at once, the first one to end has it collected again, for both. The
    program's calls of the collector meanwhile, `gc.set_threshold` included, hold.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        global _before
        threshold = gc.get_threshold()[0]
        if threshold in (0, _PUT_OFF) or not gc.isenabled():
            return function(*args, **kwargs)
        try:
            _before = threshold
            gc.set_threshold(_PUT_OFF)
            return function(*args, **kwargs)
        finally:
            _go_on()

    return call


def _go_on() -> None:
    if gc.get_threshold()[0] == _PUT_OFF:
        gc.set_threshold(_before)


# A child process has not got the thread that was at it.
os.register_at_fork(after_in_child=_go_on)
