"""The number of this process, and the end of one that `multiprocessing` has begun.

The number is looked at in each call, and so not asked of the system each time: a fork corrects it.
A child that Python has not been told of, as C code makes it by a system call of its own, keeps the
parent's; the binding, whose number the kernel corrects, refuses its calls all the same.

A process that `multiprocessing` has begun, if it was forked, ends without the exit hooks of
`atexit`. It has finalisers instead, of which it forgets at its beginning those of its parent. They
are called when its target has returned, although threads that it has started may go on, and may
need what is to be ended.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

current = os.getpid()

# The process that has been seen to.
_seen = 0


def _note_fork() -> None:
    global current
    current = os.getpid()


os.register_at_fork(after_in_child=_note_fork)


def at_end(function: Callable[[], object]) -> None:
    """Have a function called at the end of this process, if it is one of `multiprocessing`.

    It is always the same function: once for a process is enough.
    """
    global _seen
    process = sys.modules.get("multiprocessing.process")
    if process is None or _seen == current or process.parent_process() is None:
        return
    from multiprocessing.util import Finalize

    Finalize(None, _finish, args=(function,), exitpriority=0)
    _seen = current


def _finish(function: Callable[[], object]) -> None:
    """Call a function when the threads that a process waits for have ended."""
    if not _others():
        function()
        return
    # Not here: threads of an executor end only when the process begins to wait for its threads.
    threading.Thread(target=_finish_later, args=(function,), name="zc.zk end").start()


def _finish_later(function: Callable[[], object]) -> None:
    while others := _others():
        for thread in others:
            thread.join()
    function()


def _others() -> list[threading.Thread]:
    """Return the threads that a process waits for, but for this and the main one."""
    known = threading.main_thread(), threading.current_thread()
    return [each for each in threading.enumerate() if not each.daemon and each not in known]
