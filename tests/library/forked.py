"""Work in a forked child."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable


class Child:
    """A forked child that does some work, commanded and heard by pipes."""

    def __init__(self, work: Callable[[Child], object]) -> None:
        (self._hearing, telling), (obeying, self._commanding) = os.pipe(), os.pipe()
        with warnings.catch_warnings():
            # Later Pythons warn of a fork with threads; the tests show that this one works.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid:
            os.close(telling)
            os.close(obeying)
            self._lines = os.fdopen(self._hearing)
            return
        code = 1
        try:
            self._telling, self._obeying = telling, obeying
            os.close(self._commanding)
            work(self)
            code = 0
        except BaseException as fault:
            self.tell(repr(fault))
        finally:
            os._exit(code)

    # In the child

    def tell(self, what: object) -> None:
        os.write(self._telling, f"{what}\n".encode())

    def wait_for_command(self) -> None:
        os.read(self._obeying, 1)

    # In the parent

    def hear(self) -> str:
        return self._lines.readline().rstrip("\n")

    def command(self) -> None:
        os.write(self._commanding, b".")

    def join(self) -> None:
        os.close(self._commanding)
        self._lines.close()
        _, status = os.waitpid(self.pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0


def fault_in_a_child(call: Callable[[], object]) -> str:
    """Return the exception that `call` raises in a child, as text; else ''."""

    def work(child: Child) -> None:
        try:
            call()
        except Exception as fault:
            child.tell(repr(fault))

    child = Child(work)
    heard = child.hear()
    child.join()
    return heard
