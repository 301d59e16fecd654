"""Imports at first use, in the middle of which no process forks.

A child process has not got the thread that is importing a module, and would wait for ever for that
module. So a fork waits until these imports are done:

    with importing:
        from zc.zk.operations import walk

`Later` stands for a module that some functions need and most runs of a command do not. Type
checkers are told what it is:

    if TYPE_CHECKING:
        import json
    else:
        json = Later("json")
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

# Re-entrant: a finaliser or a signal handler may come back to it, or fork, in the middle.
importing = threading.RLock()
os.register_at_fork(
    before=importing.acquire,
    after_in_parent=importing.release,
    after_in_child=importing.release,
)


class Later:
    """Stands for a module, which is imported when something in it is first asked for.

    Things that were asked for once are found without a detour.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        module = self.__dict__["_name"]
        with importing:
            __import__(module)
        value = getattr(sys.modules[module], name)
        setattr(self, name, value)
        return value
